// Deadlines of many connections, O(1) for each operation.
//
// Time is cut into ticks; the wheel has a bucket for each of the next kBuckets of them, and a timer
// hangs in the bucket of its tick. Deadlines of connections nearly always move later - each request
// earns a new one - so a timer stays where it is when its deadline moves later, and is only looked
// at again when its old tick comes round: a request costs a comparison, not a list operation.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>

#include "baselines/common/clock.h"

namespace baselines {

// The part of a connection that hangs in the wheel.
struct Timer {
  Timer* previous = nullptr;  // null: not in the wheel
  Timer* next = nullptr;
  std::int64_t tick = 0;
};

class TimerWheel {
 public:
  TimerWheel();

  // `timer` will be handed to expire() at `deadline` or a little later. If it is in the wheel
  // already it moves only when it would come too late.
  void schedule(Timer& timer, Clock::time_point deadline, Clock::time_point now);

  void cancel(Timer& timer);

  // Takes out every timer whose tick has passed and hands it to `act`, which may schedule or cancel
  // it (again) - and must, when the deadline itself has moved on.
  template <class Act>
  void expire(Clock::time_point now, Act act) {
    const std::int64_t target = tick_of(now);
    // More than a round behind: each bucket once is enough.
    passed_ = std::max(passed_, target - static_cast<std::int64_t>(kBuckets));
    while (passed_ < target && count_ > 0) {
      ++passed_;  // first, so that what is scheduled again lands in another bucket than this one
      Timer& head = bucket(passed_);
      while (head.next != &head) {
        Timer& timer = *head.next;
        cancel(timer);
        act(timer);
      }
    }
    passed_ = std::max(passed_, target);
  }

  // Milliseconds that a loop may sleep until the next tick with a timer in it; -1: for ever.
  int sleep_ms(Clock::time_point now);

  std::size_t size() const { return count_; }

 private:
  // 2^24 ns: 17 ms, a few steps of the coarse clock, and found by a shift.
  static constexpr int kTickShift = 24;
  // 69 s: the usual timeout of 60 s is seen once. A longer one is looked at once a round.
  static constexpr std::size_t kBuckets = 4096;

  static std::int64_t tick_of(Clock::time_point t) {
    return t.time_since_epoch().count() >> kTickShift;
  }
  static std::size_t index_of(std::int64_t tick) {
    return static_cast<std::size_t>(tick) % kBuckets;
  }
  Timer& bucket(std::int64_t tick) { return buckets_[index_of(tick)]; }
  std::int64_t find_first() const;

  std::array<Timer, kBuckets> buckets_;  // heads of circular lists
  std::bitset<kBuckets> used_;           // which are not empty
  std::int64_t passed_ = 0;              // the last tick that expire() has seen
  std::int64_t first_ = 0;               // no timer has an earlier tick
  std::size_t count_ = 0;
};

}  // namespace baselines
