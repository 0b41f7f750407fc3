// A lock between processes that survives the death of whoever holds it.
#pragma once

#include <pthread.h>

namespace baselines {

// Made by the parent before it forks; its children lock and unlock it. When a holder dies, even by
// SIGKILL, the kernel passes the lock on to one of those who wait.
class AcceptLock {
 public:
  AcceptLock();  // throws std::runtime_error with a whole sentence
  ~AcceptLock();
  AcceptLock(const AcceptLock&) = delete;
  AcceptLock& operator=(const AcceptLock&) = delete;

  // A signal does not end the waiting: look afterwards whether it has changed what is to be done.
  void lock();
  void unlock();

 private:
  pthread_mutex_t* mutex_;  // in memory that all processes share
};

}  // namespace baselines
