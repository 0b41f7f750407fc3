#include "scheduler.h"

#include <errno.h>
#include <stdlib.h>

#include <atomic>
#include <utility>

#include "overflow.h"
#include "sync.h"

// The C++ runtime's record of exceptions in flight: two words for each kernel thread. Weak: a
// program in C has none.
extern "C" [[gnu::weak]] void** __cxa_get_globals();

namespace st {

thread_local constinit Scheduler scheduler;

namespace {

// A run queue that never empties must not starve descriptors and timers. Reading the clock costs as
// much as ten switches and makes the CPU predict wrong what follows, so it is read once in this
// many after events were looked at; and as long as it was too early, half as often each time...
constexpr uint32_t kSwitchesPerClock = 64;
constexpr uint32_t kMostSwitchesPerClock = 256;
// ...and events are looked at when so many microseconds have passed since the last time: often
// enough for timers of milliseconds, seldom enough that the system call costs under one per cent.
constexpr uint64_t kEventsEvery = 500;

// Merges two rows of threads, each in the order of waiting.
Thread* merge(Thread* a, Thread* b) {
  Thread* merged = nullptr;
  Thread** end = &merged;
  while (a && b) {
    Thread*& first = a->timer.order < b->timer.order ? a : b;
    *end = first;
    end = &first->next;
    first = first->next;
  }
  *end = a ? a : b;
  return merged;
}

// Merge sort from below: rows[i] holds 2^i threads or none.
[[gnu::cold]] Thread* in_order_of_waiting(Thread* threads) {
  Thread* rows[32] = {};
  while (threads) {
    Thread* row = threads;
    threads = threads->next;
    row->next = nullptr;
    int i = 0;
    for (; rows[i]; ++i) {
      row = merge(rows[i], row);
      rows[i] = nullptr;
    }
    rows[i] = row;
  }
  Thread* all = nullptr;
  for (Thread* row : rows) all = merge(row, all);
  return all;
}

}  // namespace

[[gnu::cold]] bool Scheduler::start() {
  auto* thread = static_cast<Thread*>(aligned_alloc(alignof(Thread), sizeof(Thread)));
  if (!thread) return false;
  *thread = {};
  sanitizer_begin(thread);
  if (!end_with_kernel_thread() || !events.open()) {
    free(thread);
    return false;
  }
  // An int's worth, because riscv64 adds to less only with the help of another library.
  static std::atomic<uint32_t> numbers{0};
  while (number_ == 0) number_ = static_cast<uint16_t>(++numbers);
  thread->home = number_;
  current_ = primordial_ = thread;
  watch_for_overflow();
  grant(kSwitchesPerClock);
  switch_in_ = switch_out_ = nullptr;
  static void* none[2];  // of a program without C++; never written
  exceptions_ = __cxa_get_globals ? __cxa_get_globals() : none;
  last_clock_ = read_clock();
  active_ = 1;
  return true;
}

void Scheduler::wake_by_event(Thread* thread) {
  timers_.cancel(&thread->timer);
  thread->wake = Wake::ready;
  thread->state = State::runnable;
  thread->next = nullptr;
  if (!reported_) {
    context_prefetch(thread->context);  // before it in the run queue there is nobody to do it
    reported_ = thread;
    reported_in_order_ = true;
  } else {
    last_reported_->next = thread;
    reported_in_order_ = reported_in_order_ && last_reported_->timer.order < thread->timer.order;
  }
  last_reported_ = thread;
}

void Scheduler::end_of_reports() {
  Thread* thread = reported_in_order_ ? reported_ : in_order_of_waiting(reported_);
  reported_ = nullptr;
  while (thread) {
    Thread* next = thread->next;
    append(thread);
    thread = next;
  }
}

void Scheduler::interrupt(Thread* thread) {
  if (thread->state == State::zombie) return;
  thread->interrupted = true;
  if (asleep(thread)) {
    give_up(thread, Wake::interrupted);
  } else if (thread->state == State::runnable && thread->wake == Wake::signalled &&
             thread != current_) {
    thread->wake = Wake::failed;
    ++untold_;
    grant(1);
  }
}

void Scheduler::give_up(Thread* thread, Wake how) {
  if (thread->state == State::on_cond || thread->state == State::on_mutex) {
    thread->queue->give_up(thread);
    how = Wake::failed;
    ++untold_;
    grant(1);
  }
  wake(thread, how);
}

// What its call returns to a thread that goes on.
inline int Scheduler::tell(Thread* next) {
  if (next->wake != Wake::failed) return 0;
  next->wake = Wake::ready;
  --untold_;
  errno = next->interrupted ? EINTR : ETIME;
  next->interrupted = false;
  return -1;
}

[[gnu::cold]] int Scheduler::switch_with_exceptions(Thread* self, Thread* next, int value) {
  void* const own[] = {exceptions_[0], exceptions_[1]};
  exceptions_[0] = exceptions_[1] = nullptr;
  const int passed = switch_registers(self, next, value);
  exceptions_[0] = own[0];
  exceptions_[1] = own[1];
  return passed;
}

// Looks at descriptors and timers once; if allowed, waits until something happens or the first
// timer is due.
[[gnu::noinline]] void Scheduler::look_at_events(bool may_wait) {
  if (active_ == 0) exit(0);
  int64_t timeout = 0;
  if (may_wait) {
    timeout = -1;
    if (const uint64_t next = timers_.next_look(); next != kNever) {
      const uint64_t now = read_clock();
      timeout = next > now ? static_cast<int64_t>(next - now) : 0;
    }
  }
  ++event_looks_;
  ST_PROBE(events_wait, timeout);
  events.wait(timeout);
  ST_PROBE(events_done, run_head_ != nullptr);
  grant(kSwitchesPerClock);
  last_clock_ = read_clock();
  look_ticks_ = near_ticks_;
  clock_refresh_seconds(last_clock_);
  while (Timer* due = timers_.take_due(last_clock_)) give_up(thread_of(due), Wake::timed_out);
}

[[gnu::noinline]] uint64_t Scheduler::read_clock() {
  near_clock_ = clock_now();
#ifdef ST_CONTEXT_HAS_TICKS
  near_ticks_ = clock_is_users() ? 0 : context_ticks();
#endif
  return near_clock_;
}

bool Scheduler::time_to_look() {
#ifdef ST_CONTEXT_HAS_TICKS
  if (look_ticks_ != 0) return context_ticks() - look_ticks_ >= kTicks;
#endif
  return read_clock() - last_clock_ >= kEventsEvery;
}

[[gnu::noinline]] void Scheduler::check_the_clock() {
  ST_CHECK(current_, kTooEarly);  // of a yield
  const bool due = time_to_look();
  if (due) look_at_events(false);
  // Threads that compute for long between switches are checked upon after one, two, four of them.
  grant(due ? 1 : granted_ < kMostSwitchesPerClock ? 2 * granted_ : kMostSwitchesPerClock);
}

// The budget also counts: what was used of it has been switches. With hooks each switch needs care.
void Scheduler::grant(uint32_t switches) {
  switches_ += granted_ - budget_;
  held_back_ = 0;
  granted_ = budget_ = switch_in_ || switch_out_ || untold_ > 0 ? 1 : switches;
}

// What is rare at a switch, so that all others test one number for it. The hook of the thread that
// goes on is called by the one that is left, which saves the former from asking whether there is
// one.
[[gnu::noinline]] int Scheduler::give_way_with_care(Thread* self) {
  if (leaf_stack.contains(context_stack_pointer()))
    check_failed(kWaiting, "it was made inside st_leaf_call()");
  if (switch_out_) switch_out_();
  if (budget_ == 0) check_the_clock();
  while (!run_head_) look_at_events(true);
  Thread* next = next_runnable();
  current_ = next;
  if (switch_in_) switch_in_();
  const int value = tell(next);
  return next == self ? value : switch_to(self, next, value);
}

[[gnu::noinline]] void Scheduler::yield_with_care() {
  ST_CHECK(!leaf_stack.contains(context_stack_pointer()),
           "st_thread_yield() was called inside st_leaf_call()");
  check_the_clock();
  if (!run_head_) return;
  current_->wake = Wake::ready;
  append(current_);
  give_way_with_care(current_);
}

[[gnu::cold]] void Scheduler::count(st_stats_t* stats) const {
  stats->switches = switches_ + granted_ - budget_;
  stats->event_looks = event_looks_;
  stats->timers_armed = timed_waits_;
  stats->threads = active_;
  for (const Thread* thread = run_head_; thread; thread = thread->next) {
    ++stats->runnable;
    if (thread == run_tail_) break;
  }
  stacks.count(stats);
}

Wake Scheduler::suspend(State state, uint64_t timeout) { return suspend_inline(state, timeout); }

int Scheduler::wait(Thread* self, State state, uint64_t timeout) {
  return wait_inline(self, state, timeout);
}

st_switch_cb_t Scheduler::set_switch_in(st_switch_cb_t hook) {
  grant(1);  // the next switch finds out
  return std::exchange(switch_in_, hook);
}

st_switch_cb_t Scheduler::set_switch_out(st_switch_cb_t hook) {
  grant(1);
  return std::exchange(switch_out_, hook);
}

}  // namespace st
