// The signals that a server lives by, as a descriptor to wait on beside all others.
//
// They are blocked from the start and only ever read, so there is no handler and no moment between
// looking and sleeping in which one could be missed.
#pragma once

#include <csignal>

#include "baselines/common/fd.h"

namespace baselines {

class Signals {
 public:
  struct Heard {
    bool stop = false;      // SIGTERM or SIGINT
    bool children = false;  // SIGCHLD: there is somebody to reap
  };

  // Blocks SIGTERM, SIGINT and SIGCHLD in this thread and in all that it starts, and ignores
  // SIGPIPE: a client that has gone is an error of write(), not a death sentence.
  Signals();

  // Readable while a signal waits.
  int fd() const { return fd_.get(); }

  // In a child that reads its own signals: a new descriptor instead of the parent's.
  void renew();

  // What has come since the last call; does not wait.
  Heard take();

  // In a child that has no loop to read signals in: closes the descriptor and lets the stop signals
  // act again, upon the handler that is installed by then.
  void let_act();

 private:
  sigset_t stop_;
  sigset_t all_;
  Fd fd_;
};

}  // namespace baselines
