#include "baselines/mt/thread_group.h"

#include <stdexcept>
#include <string>

#include "baselines/common/door.h"
#include "baselines/common/straight_loop.h"

namespace baselines {

ThreadGroup::ThreadGroup(std::vector<std::function<void()>> works) {
  tasks_.reserve(works.size());
  threads_.reserve(works.size());
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kServeStackBytes);
  int error = 0;
  for (auto& work : works) {
    pthread_t thread;
    error = pthread_create(&thread, &attributes, run,
                           &tasks_.emplace_back(Task{this, std::move(work)}));
    if (error != 0) break;
    threads_.push_back(thread);
  }
  pthread_attr_destroy(&attributes);
  set(error == 0 ? Gate::open : Gate::dismissed);
  if (error == 0) return;
  join();
  throw std::runtime_error("worker " + std::to_string(threads_.size()) + " of " +
                           std::to_string(works.size()) + ": " + limit_of_tasks("thread", error) +
                           ", or ask for fewer --workers");
}

void* ThreadGroup::run(void* argument) {
  const Task& task = *static_cast<Task*>(argument);
  ThreadGroup& group = *task.group;
  {
    std::unique_lock lock(group.mutex_);
    group.changed_.wait(lock, [&] { return group.gate_ != Gate::closed; });
    if (group.gate_ == Gate::dismissed) return nullptr;
  }
  task.work();
  return nullptr;
}

void ThreadGroup::set(Gate gate) {
  const std::scoped_lock lock(mutex_);
  gate_ = gate;
  changed_.notify_all();
}

void ThreadGroup::join() {
  for (const pthread_t thread : threads_) pthread_join(thread, nullptr);
}

}  // namespace baselines
