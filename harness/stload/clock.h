// The one clock: monotonic, and the same in all processes of a run.
#pragma once

#include <chrono>

namespace stload {

using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using Duration = std::chrono::nanoseconds;

inline double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }
inline double microseconds(Duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}
inline Duration from_seconds(double time) {
  return std::chrono::round<Duration>(std::chrono::duration<double>(time));
}

}  // namespace stload
