// Internal: include only inside st/src. A wrapped descriptor.
#pragma once

#include <stdint.h>

#include "errors.h"
#include "event/event.h"
#include "scheduler.h"
#include "st.h"

namespace st {

// Wraps a descriptor that is non-blocking already. Null with errno.
Netfd* netfd_wrap(int fd, Tcp tcp);
// The same for one that nobody else has: it is closed if it cannot be wrapped.
Netfd* netfd_wrap_or_close(int fd, Tcp tcp);

// Gives all objects of this scheduler back; descriptors stay open.
void netfds_end();

// Whether it is a TCP socket; asks the kernel once.
bool netfd_is_tcp(Netfd* netfd);

// Waits until `what` may succeed on the descriptor. False with errno: ETIME, EINTR, or what the
// mechanism says.
bool netfd_wait(Netfd* netfd, short what, st_utime_t timeout);

// The same for the calls that are made most. Inline, so that such a call keeps one frame on the
// stack of a waiting thread: with thousands of them each line of it comes from memory again.
[[gnu::always_inline]] inline bool netfd_wait_inline(Netfd* netfd, short what, st_utime_t timeout) {
  if (scheduler.take_interrupt()) return false;
  ST_CHECK(!scheduler.is_foreign(netfd->watch->home), kForeign);
  Waiter waiter;
  waiter.thread = scheduler.current();
  waiter.events = what;
  if (!scheduler.events.watch_one(netfd->fd, *netfd->watch, &waiter)) return false;
  scheduler.number_wait();
  const Wake how = scheduler.suspend_inline(State::on_io, timeout);
  if (waiter.linked()) waiter.unlink();
  if (scheduler.outcome(how) != Wake::ready) return false;
  if (waiter.revents & POLLNVAL) return fail(EBADF);
  return true;
}

}  // namespace st
