// Internal: include only inside st/src. Blocking work in helper kernel threads.
#pragma once

#include <stdint.h>

#include "list.h"
#include "thread.h"

namespace st {

struct Desk;

// A piece of work, in memory that is zero before the first fields are set. The pool's lock guards
// the others until it has come back. It is in a list of the pool, then of the desk.
struct Job : Link {
  void* (*work)(void*);
  void* arg;
  void (*dispose)(Job* job);  // gives its memory back
  void* result;
  Thread* waiter;
  Desk* desk;     // where it comes back to; null: nobody waits for it any more
  bool finished;  // it has come back
  bool canceled;  // before it was done
};

// Has a helper do a job and waits for it. 0: it is the caller's again; -1 with errno: it is not,
// and is disposed of when its work has ended.
int hand_over(Job* job, uint64_t timeout);

// Around fork(), so that the child does not find the pool in the middle of a change. There are no
// helpers in the child: what they had to do for the present scheduler comes back canceled.
void offload_before_fork();
void offload_in_parent();
void offload_in_child();

// Wakes those whose jobs have come back.
void offload_collect();

// Gives the desk of this scheduler back, and with the last one the helpers. Work that has been
// handed over is done all the same.
void offload_end();

}  // namespace st
