// Internal: include only inside st/src. Who runs, who waits, and the one place where threads are
// suspended.
//
// Each kernel thread has one scheduler. Threads run in the order in which they became runnable.
// There is no idle thread: a thread that blocks when nobody is runnable waits for events on its own
// stack.
#pragma once

#include <errno.h>
#include <stdint.h>

#include "check.h"
#include "clock.h"
#include "event/event.h"
#include "probe.h"
#include "sanitizer.h"
#include "stack.h"
#include "thread.h"

namespace st {

class Scheduler {
 public:
  // st_init(): makes the caller the first thread. False with errno if it cannot.
  bool start();
  bool ready() const { return active_ > 0; }

  // st_destroy(): gives everything back, and all is as before start(). Does nothing in any other
  // thread than the first one, which alone is on no stack that would go.
  void end();

  Thread* current() const { return current_; }

  // Schedulers have numbers, and so have their objects; 0 in memory that was given back.
  uint16_t number() const { return number_; }
  bool is_foreign(uint16_t home) const {
    if (home == number_) [[likely]]
      return false;
    return home != 0;
  }
  uint64_t last_clock() const { return last_clock_; }

  // Appends a new thread to the run queue and counts it as active.
  void admit(Thread* thread);

  // Does not count one active thread any more: one that serves the library itself.
  void dismiss() { --active_; }

  // Suspends the caller until somebody calls wake() on it or `timeout` microseconds have passed,
  // and says which. The caller has put itself where its waker will find it, and takes itself out
  // afterwards.
  Wake suspend(State state, uint64_t timeout);
  // The same for the calls that are made most: each has its own copy, so that it has one frame and
  // one return.
  Wake suspend_inline(State state, uint64_t timeout);
  // The same, in a WaitQueue, as the last act of a call, whose result it returns: 0, or -1 with
  // errno. The call has no frame any more while it waits and does not look how the wait has ended:
  // who switches to the thread does that for it.
  int wait(Thread* self, State state, uint64_t timeout);
  int wait_inline(Thread* self, State state, uint64_t timeout);  // for the call made most
  // The caller, after a look whether it is a thread. That it is not in a leaf call is found out
  // when it gives way.
  Thread* about_to_wait();

  // What a call reports that has been suspended: an interrupt, whatever else has happened, which is
  // thereby consumed and makes errno EINTR; a timeout, which makes it ETIME; or ready.
  Wake outcome(Wake how);

  // Makes a waiting thread runnable; its timer is cancelled. Does not switch.
  void wake(Thread* thread, Wake how);
  // The same when it has not come to what was waited for.
  void give_up(Thread* thread, Wake how);
  static bool asleep(const Thread* thread) {
    return thread->state >= State::sleeping && thread->state <= State::joining;
  }

  // The same for threads whose descriptors are ready: those of one look at the events become
  // runnable together, in the order in which they began to wait, whatever order the kernel reported
  // them in.
  void wake_by_event(Thread* thread);
  void end_of_reports();
  void number_wait() { current_->timer.order = timers_.next_order(); }

  // Interrupts a thread (st_thread_interrupt). A pending interrupt is consumed by take_interrupt(),
  // which sets errno.
  void interrupt(Thread* thread);
  bool interrupt_pending() const { return current_->interrupted; }
  bool take_interrupt();

  // Gives way to the other runnable threads.
  void yield();

  // While a leaf call runs, nothing may switch: each attempt is then one with care, which finds
  // out.
  void forbid_switches();
  void allow_switches();

  // Leaves the current thread for good, in state zombie or gone. It no longer counts as active.
  void leave(Thread* self, State state);

  // To be called first of all on a new thread's stack.
  void arrived() { sanitizer_arrive(current_); }

  // How threads wait for descriptors.
  Events events;
  Stack leaf_stack;  // shared by leaf calls; empty before the first one

  void count(st_stats_t* stats) const;

  st_switch_cb_t set_switch_in(st_switch_cb_t hook);
  st_switch_cb_t set_switch_out(st_switch_cb_t hook);

 private:
  uint64_t start_of_wait(uint64_t timeout);
  uint64_t read_clock();
  void append(Thread* thread);
  Thread* next_runnable();
  int switch_to(Thread* self, Thread* next, int value = 0);
  int switch_registers(Thread* self, Thread* next, int value);
  int switch_with_exceptions(Thread* self, Thread* next, int value);
  void look_at_events(bool may_wait);
  bool time_to_look();
  void check_the_clock();
  int give_way(Thread* self);
  int give_way_with_care(Thread* self);
  int tell(Thread* next);
  void begin_wait(Thread* self, State state, uint64_t timeout);
  void yield_with_care();
  void grant(uint32_t switches);
  // Sees to it that the scheduler of this kernel thread ends with it. False with errno if it
  // cannot.
  static bool end_with_kernel_thread();
  bool exceptions_in_flight() const;

  Thread* current_ = nullptr;
  Thread* primordial_ = nullptr;  // on no stack of ours; debuggers find it here
  Thread* run_head_ = nullptr;
  Thread* run_tail_ = nullptr;  // valid if there is a head
  // Switches until one is made with care: looking at the clock, calling hooks.
  uint32_t budget_ = 1;
  uint32_t granted_ = 1;         // what the budget was at first
  uint32_t held_back_ = 0;       // of the budget, by forbid_switches()
  uint32_t active_ = 0;          // threads that have not ended
  uint32_t untold_ = 0;          // runnable threads whose wait has failed; the budget is 1 then
  void** exceptions_ = nullptr;  // the C++ runtime's record for this kernel thread
  st_switch_cb_t switch_in_ = nullptr;
  st_switch_cb_t switch_out_ = nullptr;
  TimerHeap timers_;
  uint64_t last_clock_ = 0;  // when events were last looked at
  uint64_t near_clock_ = 0;  // when the clock was last read
  uint64_t near_ticks_ = 0;  // the same in the CPU's ticks; 0: they do not tell
  uint64_t look_ticks_ = 0;  // what they were at last_clock_
  uint64_t switches_ = 0;    // until the budget was granted
  uint64_t event_looks_ = 0;
  uint64_t timed_waits_ = 0;
  Thread* reported_ = nullptr;  // woken by an event and not yet in the run queue
  Thread* last_reported_ = nullptr;
  bool reported_in_order_ = true;
  uint16_t number_ = 0;

 public:
  // Behind all that switches and waits use, which is shorter to name the nearer it is to the start.
  StackAllocator stacks;
  StackAllocator leaf_stacks;  // one stack, not counted among those of threads
};

// The calling kernel thread's own. initial-exec: an access is one instruction, at the cost of a
// place in the static block of thread-local storage, of which it needs a few hundred bytes.
extern thread_local constinit Scheduler scheduler __attribute__((tls_model("initial-exec")));

inline constexpr char kWaiting[] = "a call that waits";  // what an abort says has been misused
inline constexpr uint64_t kTicks = 1'000'000;            // context_ticks() of a millisecond or less

// What every wait passes through.

inline void Scheduler::append(Thread* thread) {
  thread->state = State::runnable;
  if (!run_head_) [[likely]]
    run_head_ = thread;
  else
    run_tail_->next = thread;
  run_tail_ = thread;
}

// Takes the head of a run queue that is not empty. With thousands of threads nothing of the ones
// behind it is in the cache, so the frames of the next but one are asked for now, while there is
// a turn to wait for them, and the control block of the one behind that.
[[gnu::always_inline]] inline Thread* Scheduler::next_runnable() {
  Thread* next = run_head_;
  if (next == run_tail_) [[likely]] {
    run_head_ = nullptr;
  } else {
    run_head_ = next->next;
    context_prefetch(run_head_->context);
    if (run_head_ != run_tail_) __builtin_prefetch(run_head_->next);
  }
  return next;
}

// Now; or for a long wait, which may well end a little late, a time up to a millisecond ahead that
// mostly needs no clock to be read.
inline uint64_t Scheduler::start_of_wait([[maybe_unused]] uint64_t timeout) {
#ifdef ST_CONTEXT_HAS_TICKS
  constexpr uint64_t kLongWait = 1'000'000;  // microseconds: a millisecond is 0.1 per cent of it
  constexpr uint64_t kMillisecond = 1'000;
  if (timeout >= kLongWait) [[likely]]
    return context_ticks() - near_ticks_ < kTicks ? near_clock_ + kMillisecond : read_clock();
#endif
  return clock_now();
}

// The C++ runtime's record: the exceptions being handled, and a 32-bit count of those thrown and
// not yet caught. A thread that is left with any takes them along and puts them back when it goes
// on, so that the others find none.
inline bool Scheduler::exceptions_in_flight() const {
  return (reinterpret_cast<uintptr_t>(exceptions_[0]) |
          static_cast<uint32_t>(reinterpret_cast<uintptr_t>(exceptions_[1]))) != 0;
}

// The one place where a thread is left and goes on.
[[gnu::always_inline]] inline int Scheduler::switch_registers(Thread* self, Thread* next,
                                                              int value) {
  current_ = next;
  ST_PROBE(thread_switch, self, next);
  sanitizer_leave(self, next);
  const int passed = context_switch(&self->context, &next->context, value);
  sanitizer_arrive(current_);
  return passed;
}

[[gnu::always_inline]] inline int Scheduler::switch_to(Thread* self, Thread* next, int value) {
  if (exceptions_in_flight()) [[unlikely]]
    return switch_with_exceptions(self, next, value);
  return switch_registers(self, next, value);
}

[[gnu::always_inline]] inline Thread* Scheduler::about_to_wait() {
  if (!current_) [[unlikely]]
    check_failed(kWaiting, kTooEarly);
  return current_;
}

[[gnu::always_inline]] inline void Scheduler::begin_wait(Thread* self, State state,
                                                         uint64_t timeout) {
  self->state = state;
  if (timeout != ST_UTIME_NO_TIMEOUT) {
    ++timed_waits_;
    timers_.arm(&self->timer, deadline_after(start_of_wait(timeout), timeout));
  }
}

// Goes on with the head of the run queue.
[[gnu::always_inline]] inline int Scheduler::give_way(Thread* self) {
  if (--budget_ == 0 || !run_head_) [[unlikely]]
    return give_way_with_care(self);
  return switch_to(self, next_runnable());
}

[[gnu::always_inline]] inline Wake Scheduler::suspend_inline(State state, uint64_t timeout) {
  Thread* self = about_to_wait();
  begin_wait(self, state, timeout);
  give_way(self);
  return self->wake;
}

[[gnu::always_inline]] inline int Scheduler::wait_inline(Thread* self, State state,
                                                         uint64_t timeout) {
  begin_wait(self, state, timeout);
  return give_way(self);
}

// The caller goes to the end of the run queue, and the head takes its place. Two threads that give
// way to each other, which have nothing in the queue but the other one, are the short way through:
// no frame is asked for that is in the cache already, and nothing is written twice.
[[gnu::always_inline]] inline void Scheduler::yield() {
  if (--budget_ == 0) [[unlikely]]
    return yield_with_care();
  if (!run_head_) return;
  Thread* self = current_;
  Thread* next = run_head_;
  self->wake = Wake::ready;  // nothing that an interrupt could change
  if (next == run_tail_) [[likely]] {
    run_head_ = self;
  } else {
    run_tail_->next = self;
    next_runnable();
  }
  run_tail_ = self;
  switch_to(self, next);  // the last act, so that it jumps back to the caller's caller
}

// If an exception ends the leaf call, allow_switches() is not called: the next switch is one with
// care without need, and grants a budget anew.
inline void Scheduler::forbid_switches() {
  held_back_ += budget_ - 1;
  granted_ -= budget_ - 1;
  budget_ = 1;
}

inline void Scheduler::allow_switches() {
  budget_ += held_back_;
  granted_ += held_back_;
  held_back_ = 0;
}

inline bool Scheduler::take_interrupt() {
  ST_CHECK(current_, kTooEarly);
  if (!current_->interrupted) [[likely]]
    return false;
  current_->interrupted = false;
  errno = EINTR;
  return true;
}

inline Wake Scheduler::outcome(Wake how) {
  if (take_interrupt()) return Wake::interrupted;
  if (how == Wake::timed_out) errno = ETIME;
  return how;
}

inline void Scheduler::wake(Thread* thread, Wake how) {
  timers_.cancel(&thread->timer);
  thread->wake = how;
  append(thread);
}

inline void Scheduler::leave(Thread* self, State state) {
  --active_;
  timers_.remove(&self->timer);
  self->state = state;
  give_way(self);
}

inline void Scheduler::admit(Thread* thread) {
  ++active_;
  append(thread);
}

}  // namespace st
