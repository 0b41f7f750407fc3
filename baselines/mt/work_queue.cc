#include "baselines/mt/work_queue.h"

namespace baselines {

void WorkQueue::push(Sessions& from) {
  std::unique_lock lock(mutex_);
  while (!from.empty()) {
    not_full_.wait(lock, [this] { return sessions_.size() < kCapacity; });
    sessions_.splice(sessions_.end(), from, from.begin());
    not_empty_.notify_one();
  }
}

Sessions WorkQueue::pop() {
  std::unique_lock lock(mutex_);
  not_empty_.wait(lock, [this] { return closed_ || !sessions_.empty(); });
  if (sessions_.empty()) return {};
  if (sessions_.size() == kCapacity) not_full_.notify_one();
  return take_out(sessions_, sessions_.front());
}

void WorkQueue::close() {
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  not_empty_.notify_all();
}

}  // namespace baselines
