#include "baselines/mp/accept_lock.h"

#include <sys/mman.h>

#include <cerrno>
#include <stdexcept>

#include "baselines/common/log.h"

namespace baselines {

AcceptLock::AcceptLock() {
  void* memory = mmap(nullptr, sizeof(pthread_mutex_t), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::runtime_error("--accept lock: cannot map memory for the lock: " +
                             describe_errno(errno) + "; raise 'ulimit -v'");
  }
  mutex_ = static_cast<pthread_mutex_t*>(memory);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(mutex_, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

// Not pthread_mutex_destroy(): a child that ends must not take the lock from the others.
AcceptLock::~AcceptLock() { munmap(mutex_, sizeof(*mutex_)); }

void AcceptLock::lock() {
  // There is nothing to repair after a holder has died: what the lock protects is the listener's
  // queue, and that is the kernel's.
  if (pthread_mutex_lock(mutex_) == EOWNERDEAD) pthread_mutex_consistent(mutex_);
}

void AcceptLock::unlock() { pthread_mutex_unlock(mutex_); }

}  // namespace baselines
