// st_poll(): waiting for many descriptors at once.
#include <errno.h>
#include <stdlib.h>

#include "errors.h"
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

int poll_with(pollfd* pds, int npds, st_utime_t timeout, Waiter* waiters) {
  const int error = errno;
  for (int i = 0; i < npds; ++i) {
    waiters[i] = {};
    waiters[i].fd = pds[i].fd;
    waiters[i].events = pds[i].events;
  }
  const Wake how = scheduler.events.wait_for(waiters, npds, timeout);
  if (how == Wake::timed_out) errno = error;  // no error here
  if (how != Wake::ready) return how == Wake::timed_out ? 0 : -1;
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
  for (int i = 0; i < npds; ++i)
    if (!valid(pds[i])) return st::fail(EINVAL);
  if (npds <= kOnStack) {
    Waiter waiters[kOnStack];
    return poll_with(pds, npds, timeout, waiters);
  }
  auto* waiters = static_cast<Waiter*>(malloc(static_cast<size_t>(npds) * sizeof(Waiter)));
  if (!waiters) return -1;
  const int ready = poll_with(pds, npds, timeout, waiters);
  free(waiters);
  return ready;
}
