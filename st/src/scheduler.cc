#include "scheduler.h"

#include <errno.h>
#include <stdlib.h>

#include "check.h"
#include "sanitizer.h"

// The C++ runtime's record of exceptions in flight: two words for each kernel thread. Weak: a
// program in C has none.
extern "C" [[gnu::weak]] void** __cxa_get_globals();

namespace st {

thread_local constinit Scheduler scheduler;

namespace {

// A run queue that never empties must not starve descriptors and timers. Reading the clock costs as
// much as ten switches, so it is read once in this many...
constexpr uint32_t kSwitchesPerClock = 64;
// ...and events are looked at when so many microseconds have passed since the last time: often
// enough for timers of milliseconds, seldom enough that the system call costs under one per cent.
constexpr uint64_t kEventsEvery = 500;

// The C++ runtime's record: exceptions being handled, and how many are thrown and not yet caught (a
// 32-bit count).
bool in_flight(void* const* record) {
  return record[0] != nullptr || static_cast<uint32_t>(reinterpret_cast<uintptr_t>(record[1])) != 0;
}

}  // namespace

bool Scheduler::start() {
  auto* thread = static_cast<Thread*>(aligned_alloc(alignof(Thread), sizeof(Thread)));
  if (!thread) return false;
  *thread = {};
  sanitizer_stack_of_kernel(&thread->stack.low, &thread->stack.size);
  if (!events.open()) {
    free(thread);
    return false;
  }
  current_ = thread;
  run_head_ = nullptr;
  run_tail_ = &run_head_;
  budget_ = kSwitchesPerClock;
  switch_in_ = switch_out_ = nullptr;
  exceptions_ = __cxa_get_globals ? __cxa_get_globals() : nullptr;
  last_clock_ = clock_now();
  active_ = 1;
  return true;
}

void Scheduler::append(Thread* thread) {
  thread->next = nullptr;
  *run_tail_ = thread;
  run_tail_ = &thread->next;
  thread->state = State::runnable;
}

void Scheduler::admit(Thread* thread) {
  ++active_;
  append(thread);
}

void Scheduler::wake(Thread* thread, Wake how) {
  if (thread->timer.armed()) timers_.cancel(&thread->timer);
  thread->wake = how;
  append(thread);
}

void Scheduler::interrupt(Thread* thread) {
  if (thread->state == State::zombie) return;
  thread->interrupted = true;
  if (asleep(thread)) wake(thread, Wake::interrupted);
}

bool Scheduler::take_interrupt() {
  if (!current_->interrupted) return false;
  current_->interrupted = false;
  errno = EINTR;
  return true;
}

Wake Scheduler::suspend(State state, uint64_t timeout) {
  Thread* self = current_;
  self->state = state;
  if (timeout != ST_UTIME_NO_TIMEOUT)
    timers_.arm(&self->timer, deadline_after(clock_now(), timeout));
  switch_away(self);
  return self->wake;
}

Wake Scheduler::wait(State state, uint64_t timeout) {
  ST_CHECK(ready(), "a call that waits was made before st_init() in this kernel thread");
  if (take_interrupt()) return Wake::interrupted;
  const Wake how = suspend(state, timeout);
  if (take_interrupt()) return Wake::interrupted;
  if (how == Wake::timed_out) errno = ETIME;
  return how;
}

void Scheduler::yield() {
  look_at_events_if_due();
  if (!run_head_) return;
  Thread* self = current_;
  append(self);
  switch_to(self, next_runnable());
}

// Takes the head of a run queue that is not empty.
Thread* Scheduler::next_runnable() {
  Thread* next = run_head_;
  run_head_ = next->next;
  if (run_head_)
    __builtin_prefetch(
        run_head_);  // with thousands of threads the next control block is not in the cache
  else
    run_tail_ = &run_head_;
  return next;
}

void Scheduler::switch_away(Thread* self) {
  look_at_events_if_due();
  while (!run_head_) look_at_events(true);
  switch_to(self, next_runnable());
}

// The one place where a thread is left and goes on.
[[gnu::noinline]] void Scheduler::switch_to(Thread* self, Thread* next) {
  next->state = State::running;
  if (next == self) return;
  if (switch_out_) switch_out_();
  if (exceptions_ && (in_flight(exceptions_) || next->holds_exceptions))
    swap_exceptions(self, next);
  current_ = next;
  sanitizer_leave(self->state == State::gone ? nullptr : &self->sanitizer_stack, next->stack.low,
                  next->stack.size);
  context_switch(&self->context, &next->context);
  arrived();
}

void Scheduler::arrived() {
  sanitizer_arrive(current_->sanitizer_stack);
  if (switch_in_) switch_in_();
}

void Scheduler::swap_exceptions(Thread* self, Thread* next) {
  self->exceptions[0] = exceptions_[0];
  self->exceptions[1] = exceptions_[1];
  self->holds_exceptions = in_flight(exceptions_);
  exceptions_[0] = next->holds_exceptions ? next->exceptions[0] : nullptr;
  exceptions_[1] = next->holds_exceptions ? next->exceptions[1] : nullptr;
  next->holds_exceptions = false;
}

// Looks at descriptors and timers once; if allowed, waits until something happens or the first
// timer is due.
[[gnu::noinline]] void Scheduler::look_at_events(bool may_wait) {
  if (active_ == 0) exit(0);
  int64_t timeout = 0;
  if (may_wait) {
    timeout = -1;
    if (Timer* first = timers_.first()) {
      const uint64_t now = clock_now();
      timeout = first->deadline > now ? static_cast<int64_t>(first->deadline - now) : 0;
    }
  }
  events.wait(timeout);
  last_clock_ = clock_now();
  budget_ = kSwitchesPerClock;
  clock_refresh_seconds(last_clock_);
  while (Timer* first = timers_.first()) {
    if (first->deadline > last_clock_) break;
    wake(thread_of(first), Wake::timed_out);
  }
}

inline void Scheduler::look_at_events_if_due() {
  if (--budget_ > 0) [[likely]]
    return;
  // Threads that compute for long between switches are checked upon at each of them.
  const bool due = clock_now() - last_clock_ >= kEventsEvery;
  if (due) look_at_events(false);
  budget_ = due ? 1 : kSwitchesPerClock;
}

void Scheduler::leave(State state) {
  --active_;
  current_->state = state;
  switch_away(current_);
  __builtin_unreachable();
}

st_switch_cb_t Scheduler::set_switch_in(st_switch_cb_t hook) {
  const st_switch_cb_t before = switch_in_;
  switch_in_ = hook;
  return before;
}

st_switch_cb_t Scheduler::set_switch_out(st_switch_cb_t hook) {
  const st_switch_cb_t before = switch_out_;
  switch_out_ = hook;
  return before;
}

}  // namespace st
