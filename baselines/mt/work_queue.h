// What one group of threads leaves for the next: bounded, guarded by a mutex and two conditions.
#pragma once

#include <condition_variable>
#include <mutex>

#include "baselines/mt/session.h"

namespace baselines {

class WorkQueue {
 public:
  // Takes all sessions out of `from`, waiting for room as often as need be.
  void push(Sessions& from);

  // The session that has waited longest; waits for one. None when the queue has been closed.
  Sessions pop();

  // Nobody will push any more: pop() gives out what there is, and then none.
  void close();

 private:
  // Some milliseconds of work. What cannot be done sooner waits better in its socket, where it
  // holds up the client that sent it.
  static constexpr std::size_t kCapacity = 1024;

  std::mutex mutex_;
  std::condition_variable not_empty_;
  std::condition_variable not_full_;
  Sessions sessions_;
  bool closed_ = false;
};

}  // namespace baselines
