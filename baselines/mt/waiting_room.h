// Connections that wait for their clients, all watched by one thread.
//
// A session comes in from any thread and is watched for one event (epoll, one-shot): what its
// connection wants next. It leaves by that event or by its deadline, and only through wait(), so
// nobody can be about to wake a session that another thread already holds.
#pragma once

#include <mutex>

#include "baselines/common/clock.h"
#include "baselines/common/fd.h"
#include "baselines/mt/session.h"

namespace baselines {

class WaitingRoom {
 public:
  // Throws std::runtime_error with a whole sentence.
  WaitingRoom(const Fd& listener, Clock::duration idle_timeout);

  // A session that is to wait; from any thread. False, with errno, when the kernel cannot watch it:
  // then it stays where it is.
  bool watch(Sessions& session);

  // Whether new clients are looked for, at first they are; from the waiting thread. False when the
  // kernel has no memory for it.
  bool listen(bool whether);

  // wait() returns at once, now and for ever; from any thread.
  void wake();

  struct Ready {
    Sessions sessions;      // of which something can be read or written, or the deadline has passed
    bool arrivals = false;  // somebody waits to be accepted
  };
  // Waits at most `limit` long.
  Ready wait(Clock::duration limit);

 private:
  void take_expired(Clock::time_point now, Sessions& out);

  const Fd& listener_;
  const Clock::duration sweep_interval_;
  Fd epoll_;
  Fd wake_;
  Clock::time_point next_sweep_;
  std::mutex mutex_;   // for all below
  Sessions sessions_;  // that wait
};

}  // namespace baselines
