// Internal: include only inside st/src. Who runs, who waits, and the one place where threads are
// suspended.
//
// Each kernel thread has one scheduler. Threads run in the order in which they became runnable.
// There is no idle thread: a thread that blocks when nobody is runnable waits for events on its own
// stack.
#pragma once

#include <stdint.h>

#include "clock.h"
#include "event/event.h"
#include "stack.h"
#include "thread.h"

namespace st {

class Scheduler {
 public:
  // st_init(): makes the caller the first thread. False with errno if it cannot.
  bool start();
  bool ready() const { return active_ > 0; }

  Thread* current() const { return current_; }
  uint64_t last_clock() const { return last_clock_; }

  // Appends a new thread to the run queue and counts it as active.
  void admit(Thread* thread);

  // Suspends the caller until somebody calls wake() on it or `timeout` microseconds have passed,
  // and says which. The caller has put itself where its waker will find it, and takes itself out
  // afterwards.
  Wake suspend(State state, uint64_t timeout);

  // The same for calls that an interrupt ends: also one that came earlier, and whatever else has
  // happened. It is then consumed and errno is EINTR; after a timeout errno is ETIME.
  Wake wait(State state, uint64_t timeout);

  // Makes a waiting thread runnable; its timer is cancelled. Does not switch.
  void wake(Thread* thread, Wake how);
  static bool asleep(const Thread* thread) {
    return thread->state >= State::sleeping && thread->state <= State::joining;
  }

  // Interrupts a thread (st_thread_interrupt). A pending interrupt is consumed by take_interrupt(),
  // which sets errno.
  void interrupt(Thread* thread);
  bool take_interrupt();

  // Gives way to the other runnable threads.
  void yield();

  // Leaves the current thread for good, in state zombie or gone. It no longer counts as active.
  [[noreturn]] void leave(State state);

  // To be called first of all on a new thread's stack.
  void arrived();

  // How threads wait for descriptors.
  Events events;
  StackAllocator stacks;

  st_switch_cb_t set_switch_in(st_switch_cb_t hook);
  st_switch_cb_t set_switch_out(st_switch_cb_t hook);

 private:
  void append(Thread* thread);
  Thread* next_runnable();
  void switch_away(Thread* self);
  void switch_to(Thread* self, Thread* next);
  void look_at_events(bool may_wait);
  void look_at_events_if_due();
  void swap_exceptions(Thread* self, Thread* next);

  Thread* current_ = nullptr;
  Thread* run_head_ = nullptr;
  Thread** run_tail_ = nullptr;  // the pointer that the next runnable thread goes into
  uint32_t budget_ = 0;  // switches until the clock is looked at although threads are runnable
  uint32_t active_ = 0;  // threads that have not ended
  void** exceptions_ =
      nullptr;  // the C++ runtime's record for this kernel thread; null: no C++ in the program
  st_switch_cb_t switch_in_ = nullptr;
  st_switch_cb_t switch_out_ = nullptr;
  TimerHeap timers_;
  uint64_t last_clock_ = 0;  // when events were last looked at
};

// The calling kernel thread's own. initial-exec: an access is one instruction, at the cost of a
// place in the static block of thread-local storage, of which it needs a few hundred bytes.
extern thread_local constinit Scheduler scheduler __attribute__((tls_model("initial-exec")));

}  // namespace st
