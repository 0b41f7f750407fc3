// st_poll(): waiting for many descriptors at once.
#include <errno.h>
#include <stdlib.h>

#include <new>

#include "scheduler.h"

namespace {

using st::scheduler;
using st::Waiter;
using st::Wake;

// Places for this many descriptors are on the stack of the calling thread; more are allocated.
constexpr int kOnStack = 8;

bool valid(const pollfd& entry) {
  const st::Mechanism* mechanism = scheduler.events.selected();
  return entry.fd >= 0 && (mechanism->fd_limit == 0 || entry.fd < mechanism->fd_limit) &&
         entry.events != 0 && !(entry.events & ~mechanism->events);
}

int poll_with(pollfd* pds, int npds, st_utime_t timeout, Waiter* waiters, int* fds) {
  for (int i = 0; i < npds; ++i) {
    new (&waiters[i]) Waiter;
    waiters[i].events = pds[i].events;
    fds[i] = pds[i].fd;
  }
  bool failed;
  const Wake how = scheduler.events.wait_for(waiters, fds, npds, timeout, &failed);
  if (failed || how == Wake::interrupted) return -1;
  if (how == Wake::timed_out) return 0;
  int ready = 0;
  for (int i = 0; i < npds; ++i) {
    pds[i].revents = waiters[i].revents;
    if (waiters[i].revents) ++ready;
  }
  return ready;
}

}  // namespace

int st_poll(struct pollfd* pds, int npds, st_utime_t timeout) {
  if (scheduler.take_interrupt()) return -1;
  for (int i = 0; i < npds; ++i) {
    if (valid(pds[i])) continue;
    errno = EINVAL;
    return -1;
  }
  const int error = errno;
  int result;
  if (npds <= kOnStack) {
    Waiter waiters[kOnStack];
    int fds[kOnStack];
    result = poll_with(pds, npds, timeout, waiters, fds);
  } else {
    const size_t count = static_cast<size_t>(npds);
    auto* memory = static_cast<char*>(malloc(count * (sizeof(Waiter) + sizeof(int))));
    if (!memory) return -1;
    auto* waiters = reinterpret_cast<Waiter*>(memory);
    result = poll_with(pds, npds, timeout, waiters,
                       reinterpret_cast<int*>(memory + count * sizeof(Waiter)));
    free(memory);
  }
  if (result == 0) errno = error;  // a timeout is no error here
  return result;
}
