// Internal: include only inside st/src. How threads wait for descriptors: one contract, one file
// for each mechanism.
#pragma once

#include <poll.h>
#include <stdint.h>
#include <time.h>

#include "list.h"
#include "operation.h"
#include "thread.h"

namespace st {

// A thread's wait for one descriptor, on the stack of the waiting call. Linked until it is reported
// or its thread runs.
struct Waiter : Link {
  Thread* thread;
  short events;       // POLLIN, POLLOUT, POLLPRI: what it waits for
  short revents = 0;  // what was reported
  int fd;             // valid in wait_for()
};

// Whether it is a TCP socket: there a read that brings less than was asked for has emptied it, so
// that the next wait needs no failing read first. Not so for others: a local socket, say, stops at
// passed descriptors.
enum class Tcp : uint8_t { unknown, no, yes };

struct Watch;

}  // namespace st

// A wrapped descriptor: what a program holds.
struct _st_netfd {
  st::Watch* watch;
  int fd;               // -1: freed, and not yet used again
  uint32_t generation;  // of the descriptor that was wrapped: its number may be another's by now
  union {
    void* value;           // st_netfd_setspecific()
    _st_netfd* next_free;  // when freed
  };
  void (*destructor)(void*);
};

namespace st {
using Netfd = _st_netfd;

// What is known about a descriptor number. One cache line, with what its first wrapper needs:
// thousands of them are touched in turn.
struct alignas(64) Watch {
  List<Waiter> waiters;
  // Of the descriptor behind the number: a report for an earlier one is ignored.
  uint32_t generation;
  uint32_t epoch;     // in which the mechanism was told `interest`
  uint16_t wrappers;  // how many st_netfd_t it has
  uint8_t interest;   // what the mechanism has been told to report
  // POLLIN, POLLOUT: an attempt may succeed; cleared when it did not, set by a report.
  uint8_t ready;
  bool ended;  // hung up, half-closed or urgent: a short read does not mean that nothing is left
  Tcp tcp;
  uint16_t home;  // the number of the scheduler; 0: wrapped before st_init()
  Netfd first;    // used before others are allocated
};
static_assert(sizeof(Watch) == 64);

class Events;

// A mechanism. It reports through Events::report(). What it has no function for it need not do.
struct Mechanism {
  int id;  // ST_EVENTSYS_...
  const char* name;
  int fd_limit = 0;                         // descriptors must be below it; 0: no limit of its own
  int events = POLLIN | POLLOUT | POLLPRI;  // what st_poll() may ask for
  bool forgets_closed = false;              // it need not be told when a descriptor is closed
  bool (*open)(Events& events) = [](Events&) { return true; };  // false with errno
  void (*close)(Events& events) = [](Events&) {};
  // Sees to it that `what` will be reported of `fd` instead of `told`, at once if it is there
  // already; 0: nothing. False with errno. A wrapped descriptor stays registered as long as it is
  // wrapped; another may be closed by its owner at any time after it was told 0.
  bool (*tell)(Events& events, int fd, const Watch& watch, int told, int what);
  void (*wait)(Events& events, int64_t timeout);  // microseconds; -1: without limit
  // Carries out a transfer, waiting until it can be done: the result, or -1 with errno; EAGAIN if
  // it could not wait. Null: transfers are system calls.
  ssize_t (*perform)(Events& events, Watch& watch, const Operation& operation,
                     uint64_t timeout) = nullptr;
};

// For mechanisms that take a time in this form.
inline timespec timespec_of(int64_t microseconds) {
  return {static_cast<time_t>(microseconds / 1'000'000),
          static_cast<long>(microseconds % 1'000'000) * 1'000};
}

// Those there are.
extern const Mechanism select_mechanism;
extern const Mechanism poll_mechanism;
extern const Mechanism epoll_mechanism;
#ifdef ST_HAVE_IO_URING
extern const Mechanism io_uring_mechanism;
#endif

// The one that `id` names, or null if this system or this build does not have it (choose.cc).
const Mechanism* choose_mechanism(int id);

// The descriptors of one scheduler.
class Events {
 public:
  // st_set_eventsys(). 0, or -1 with errno.
  int select(int id);
  const Mechanism* selected() const { return mechanism_; }

  bool open();
  void close() { mechanism_->close(*this); }
  // Gives back everything that is known about descriptors, too.
  void end();

  // In a child process: lets go of what is the parent's. Waiting for descriptors does it by itself.
  void notice_fork();

  // What is known about `fd`; made on the first call, null with errno if there is no memory. Stays
  // where it is.
  Watch* watch(int fd);
  // The same of one that has been watched.
  Watch* record(int fd) const { return &chunks_[fd / kChunk][fd % kChunk]; }

  // Waits until one of `waiters[0..count)`, whose `fd` and `events` are set, is reported. As
  // Scheduler::outcome(); Wake::failed with errno if one cannot be waited for.
  Wake wait_for(Waiter* waiters, int count, uint64_t timeout);

  // What most waits are: of the current thread for one wrapped descriptor. The waiter is taken out
  // again by the caller. False with errno if it cannot be waited for.
  bool watch_one(int fd, Watch& watch, Waiter* waiter);

  // The descriptor is wrapped, unwrapped, or about to be closed.
  void wrapped(int fd, Watch& watch);
  void unwrapped(int fd, Watch& watch);
  void closing(int fd, Watch& watch);

  // Carries out a transfer on a wrapped descriptor: as Operation::execute(), but where the
  // mechanism can it waits for it.
  ssize_t perform(Watch& watch, const Operation& operation, uint64_t timeout);
  bool completes() const { return completes_; }

  // Once: reports what there is, after waiting for it for `timeout` microseconds (-1: without
  // limit).
  void wait(int64_t timeout);

  // For mechanisms. Wakes who waits for what has happened to `fd`.
  void report(int fd, uint32_t generation, short what);
  // For mechanisms. Has the kernel told anew what the present waiters of `fd` wait for; if it
  // cannot be, they are woken.
  void tell_again(int fd, Watch& watch);
  // For mechanisms that must be told everything each time: calls `visit` for each descriptor with
  // waiters.
  template <class Visit>
  void each_waited_for(Visit visit) {
    for (int first = 0; first < watched_; first += kChunk) {
      Watch* chunk = chunks_[first / kChunk];
      for (int i = 0; chunk && i < kChunk; ++i)
        if (!chunk[i].waiters.empty()) visit(first + i, chunk[i]);
    }
  }
  static short wanted(Watch& watch);        // by all waiters together
  int watched() const { return watched_; }  // above all descriptors ever watched

  // A mechanism's own state.
  int handle = -1;
  void* buffer = nullptr;

 private:
  static constexpr int kChunk = 256;
  void reopen_after_fork();
  int told(const Watch& watch) const { return watch.epoch == epoch_ ? watch.interest : 0; }
  bool tell(int fd, Watch& watch, int what);
  bool want(int fd, Watch& watch, short what);

  const Mechanism* mechanism_ = nullptr;
  uint32_t epoch_ = 0;        // of the mechanism: a fork makes a new one
  bool completes_ = false;    // whether the mechanism carries out transfers
  Watch** chunks_ = nullptr;  // null where no descriptor of the chunk was ever watched
  int chunk_count_ = 0;
  int watched_ = 0;  // above all descriptors ever watched
};

// A mechanism that keeps what it is told needs to hear nothing when what has just been found
// missing is waited for. Told again, it also reports what is there already.
inline bool Events::watch_one(int fd, Watch& watch, Waiter* waiter) {
  const short what = waiter->events;
  // Urgent data are not noted as ready, so a mechanism has to look for them.
  const bool will_be_reported = (told(watch) & what) == what && !((watch.ready | POLLPRI) & what);
  if (!will_be_reported && !want(fd, watch, what)) return false;
  watch.waiters.push_back(waiter);
  return true;
}

}  // namespace st
