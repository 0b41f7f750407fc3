// Internal: include only inside st/src. The queue that threads wait in for one another.
#pragma once

#include <stdint.h>

#include "scheduler.h"
#include "thread.h"

namespace st {

// First in, first out; who gives up leaves from anywhere. Lives in memory from malloc, so it is
// made empty by hand.
class WaitQueue {
 public:
  void make_empty() { *this = {}; }

  // Puts the caller, which is about to wait, at the end.
  void push(Thread* self) {
    self->queue = this;
    home_ = self->home;
    if (!first_) [[likely]] {
      first_ = self;
    } else {
      self->before = last_;
      last_->behind = self;
    }
    last_ = self;
  }

  // Takes the thread that has waited longest out and wakes it, and returns it; null if there is
  // none.
  Thread* wake_first(Wake how) {
    Thread* thread = first_;
    if (!thread) return nullptr;
    ST_CHECK(!scheduler.is_foreign(home_),
             "a thread of another kernel thread's scheduler waits for the condition or mutex");
    first_ = thread->behind;
    thread->behind = nullptr;
    woken_ = thread;
    scheduler.wake(thread, how);
    return thread;
  }

  // Takes a thread out that has timed out or been interrupted and will be told so.
  void give_up(Thread* thread);

  // A thread waits, or it was woken and has not yet run to see it. Threads that are woken run in
  // that order: if the last one has run, all have.
  bool busy() const;

 private:
  Thread* first_;
  Thread* last_;   // valid if there is a first
  Thread* woken_;  // the last that left
  uint16_t home_;  // the number of their scheduler: without that they may be gone
};

}  // namespace st
