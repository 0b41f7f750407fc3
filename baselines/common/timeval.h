// A duration as socket timeouts want it.
#pragma once

#include <sys/time.h>

#include "baselines/common/clock.h"

namespace baselines {

inline timeval to_timeval(Clock::duration duration) {
  const auto microseconds = std::chrono::ceil<std::chrono::microseconds>(duration).count();
  return {microseconds / 1'000'000, microseconds % 1'000'000};
}

}  // namespace baselines
