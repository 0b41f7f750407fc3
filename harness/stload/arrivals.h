// When requests are due in an open loop, whatever the server does.
#pragma once

#include <random>

#include "harness/stload/clock.h"

namespace stload {

enum class Spacing {
  constant,  // exactly 1/rate apart
  poisson,   // independent of each other, 1/rate apart on average: many users who do not know of
             // each other
};

class Arrivals {
 public:
  // `rate` per second, from `start` on. `phase` (0..1) moves constant arrivals by that part of the
  // time between two: n streams with phases 0, 1/n, 2/n ... and a rate of R/n each are together
  // constant arrivals at R. Poisson streams add up to a Poisson stream by themselves.
  Arrivals(Spacing spacing, double rate, double phase, Time start, std::mt19937_64& random)
      : spacing_(spacing), between_ns_(1e9 / rate), at_(phase), start_(start), random_(random) {
    if (spacing == Spacing::poisson) at_ = gap_(random_);
  }

  // Never earlier than the one before.
  Time next() {
    // Counted in units of the mean gap: nothing adds up, and a double holds 10^15 of them exactly.
    const Time due = start_ + std::chrono::round<Duration>(
                                  std::chrono::duration<double, std::nano>(at_ * between_ns_));
    at_ += spacing_ == Spacing::constant ? 1 : gap_(random_);
    return due;
  }

 private:
  Spacing spacing_;
  double between_ns_;
  double at_;  // the next one
  Time start_;
  std::mt19937_64& random_;
  std::exponential_distribution<double> gap_{1};
};

}  // namespace stload
