// The monotonic clock that deadlines are made of.
#pragma once

#include <chrono>

namespace baselines {

// CLOCK_MONOTONIC_COARSE, about 4 ms fine: enough for timeouts, and cheap enough (5 ns, no system
// call) to read once for each event.
struct Clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};

}  // namespace baselines
