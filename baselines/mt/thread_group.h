// A fixed number of threads that live as long as the server.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

namespace baselines {

class ThreadGroup {
 public:
  // Starts a thread for each piece of work, all of them or none: nobody begins before the last has
  // been started. Throws std::runtime_error with a whole sentence.
  explicit ThreadGroup(std::vector<std::function<void()>> works);

  // Waits until all have come to their end.
  ~ThreadGroup() { join(); }
  ThreadGroup(const ThreadGroup&) = delete;
  ThreadGroup& operator=(const ThreadGroup&) = delete;

 private:
  enum class Gate { closed, open, dismissed };
  struct Task {
    ThreadGroup* group;
    std::function<void()> work;
  };

  static void* run(void* task);
  void set(Gate gate);
  void join();

  std::vector<Task> tasks_;  // never moves once threads have been started
  std::vector<pthread_t> threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Gate gate_ = Gate::closed;
};

}  // namespace baselines
