#include "baselines/common/clock.h"

#include <ctime>

namespace baselines {

Clock::time_point Clock::now() noexcept {
  timespec t{};
  // Cannot fail: the clock exists in every Linux since 2.6.32, and `t` is a valid address.
  clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return time_point(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

}  // namespace baselines
