// epoll: a wrapped descriptor is registered once, when a thread first waits for it, edge-triggered,
// and stays until it is closed. A wait for something that an attempt has just found missing then
// needs no system call of its own.
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "event/event.h"

namespace st {
namespace {

static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLPRI == POLLPRI &&
              EPOLLERR == POLLERR && EPOLLHUP == POLLHUP);

// Reports taken in one system call. More would make the call hardly cheaper, but what it touches of
// each socket would have left the cache when its thread runs: with 10,000 busy connections 64 cost
// 5 per cent less than 512.
constexpr int kBatch = 64;

bool open_epoll(Events& events) {
  if (!events.buffer) events.buffer = malloc(sizeof(epoll_event) * kBatch);
  if (!events.buffer) return false;
  events.handle = epoll_create1(EPOLL_CLOEXEC);
  return events.handle >= 0;
}

void close_epoll(Events& events) {
  ::close(events.handle);
  events.handle = -1;
}

bool tell(Events& events, int fd, const Watch& watch, int told, int what) {
  epoll_event event{};
  // A half-close and urgent data come along with what is readable: both spoil the rule that a short
  // read has emptied the socket.
  event.events = static_cast<uint32_t>(what);
  if (what & EPOLLIN) event.events |= EPOLLRDHUP | EPOLLPRI;
  if (watch.wrappers > 0) event.events |= EPOLLET;
  event.data.u64 = static_cast<uint64_t>(watch.generation) << 32 | static_cast<uint32_t>(fd);
  if (what == 0) {
    epoll_ctl(events.handle, EPOLL_CTL_DEL, fd, &event);
    return true;
  }
  int result = epoll_ctl(events.handle, told ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  // The program may have closed and opened the descriptor behind our back.
  if (result < 0 && errno == EEXIST) result = epoll_ctl(events.handle, EPOLL_CTL_MOD, fd, &event);
  if (result < 0 && errno == ENOENT) result = epoll_ctl(events.handle, EPOLL_CTL_ADD, fd, &event);
  return result == 0;
}

int wait_in_kernel(Events& events, epoll_event* reports, int64_t timeout) {
  if (timeout <= 0) return epoll_wait(events.handle, reports, kBatch, timeout < 0 ? -1 : 0);
#ifdef SYS_epoll_pwait2  // Linux 5.11: to the nanosecond
  static std::atomic<bool> exact{true};
  if (exact.load(std::memory_order_relaxed)) {
    const timespec time = timespec_of(timeout);
    const long count = syscall(SYS_epoll_pwait2, events.handle, reports, kBatch, &time, nullptr, 0);
    // EPERM: what older sandboxes say of a call that they do not know.
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(count);
    exact.store(false, std::memory_order_relaxed);
  }
#endif
  // Milliseconds; an int holds it, and waiting again costs nothing.
  constexpr int64_t kLongest = 1'000'000'000;
  const int64_t milliseconds = (timeout + 999) / 1'000;
  return epoll_wait(events.handle, reports, kBatch,
                    static_cast<int>(milliseconds < kLongest ? milliseconds : kLongest));
}

void wait(Events& events, int64_t timeout) {
  auto* reports = static_cast<epoll_event*>(events.buffer);
  const int count = wait_in_kernel(events, reports, timeout);
  constexpr int kAhead = 4;  // reports between asking the cache for a descriptor and using it
  for (int i = 0; i < count; ++i) {
    const uint64_t data = reports[i].data.u64;
    if (i + kAhead < count)
      __builtin_prefetch(
          events.record(static_cast<int>(reports[i + kAhead].data.u64 & 0xffffffff)));
    events.report(static_cast<int>(data & 0xffffffff), static_cast<uint32_t>(data >> 32),
                  static_cast<short>(reports[i].events));
  }
}

}  // namespace

// Closing takes a descriptor out of the kernel's tables, unless a copy of it is open somewhere;
// reports for that copy are told by their generation. So no system call is spent on taking it out
// by hand.
const Mechanism epoll_mechanism = {.id = ST_EVENTSYS_ALT,
                                   .name = "epoll",
                                   .forgets_closed = true,
                                   .open = open_epoll,
                                   .close = close_epoll,
                                   .tell = tell,
                                   .wait = wait};

}  // namespace st
