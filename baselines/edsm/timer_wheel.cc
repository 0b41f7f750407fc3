#include "baselines/edsm/timer_wheel.h"

#include <limits>

namespace baselines {

TimerWheel::TimerWheel() {
  for (Timer& head : buckets_) head.previous = head.next = &head;
}

void TimerWheel::schedule(Timer& timer, Clock::time_point deadline, Clock::time_point now) {
  // The tick after the deadline's own, so that it has passed when the timer comes out.
  const std::int64_t wanted = tick_of(deadline) + 1;
  if (timer.previous != nullptr) {
    if (timer.tick <= wanted) return;
    cancel(timer);
  }
  if (count_ == 0) passed_ = std::max(passed_, tick_of(now));  // an empty wheel has not been turned
  timer.tick = std::clamp(wanted, passed_ + 1, passed_ + static_cast<std::int64_t>(kBuckets) - 1);
  Timer& head = bucket(timer.tick);
  first_ = std::min(first_, timer.tick);
  timer.next = &head;
  timer.previous = head.previous;
  timer.previous->next = &timer;
  head.previous = &timer;
  used_.set(index_of(timer.tick));
  ++count_;
}

void TimerWheel::cancel(Timer& timer) {
  if (timer.previous == nullptr) return;
  timer.previous->next = timer.next;
  timer.next->previous = timer.previous;
  if (timer.previous == timer.next) used_.reset(index_of(timer.tick));  // only the head is left
  timer.previous = timer.next = nullptr;
  --count_;
}

// The first tick that has a timer; there is one.
std::int64_t TimerWheel::find_first() const {
  const std::size_t from = index_of(passed_ + 1);
  std::size_t found = from == 0 ? used_._Find_first() : used_._Find_next(from - 1);
  if (found == kBuckets) found = used_._Find_first();
  return passed_ + 1 + static_cast<std::int64_t>((found + kBuckets - from) % kBuckets);
}

int TimerWheel::sleep_ms(Clock::time_point now) {
  if (count_ == 0) return -1;
  // The search goes over 64 words at most, but a busy loop asks for each batch of events, and finds
  // the same tick until it has passed.
  if (first_ <= passed_ || !used_.test(index_of(first_))) first_ = find_first();
  const Clock::time_point begins{Clock::duration(first_ << kTickShift)};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(begins - now).count();
  // 4 ms on top: the coarse clock may be that late, and waking before it has moved is for nothing.
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max() - 4)) +
         4;
}

}  // namespace baselines
