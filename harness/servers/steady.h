// Has the server settled? Judged from its own counters, sampled from the first connection on.
//
// MSER-5 (White, 1997): the rates are averaged in batches of five, and the warm-up ends where
// cutting off the beginning makes the standard error of what remains smallest. A cut beyond the
// middle means that there is no steady part to speak of. What remains is then tested for a later
// shift: the largest excursion of the cumulative sum of deviations (CUSUM), in units of a standard
// deviation that is taken from differences of neighbours, so that the shift itself is not in it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace archbench {

struct RateSample {
  double time_s = 0;    // any origin
  double requests = 0;  // so far
};

struct Steadiness {
  bool judged = false;  // false: too few samples
  bool steady = false;
  std::optional<double> settled_s;  // time at which the steady part begins, as in the samples
  double shift_at_s = 0;            // of a later shift, when `shift` is not 0
  double shift = 0;                 // the mean behind it over the mean before it, minus 1
  std::string text;                 // for a reader
};

// `window_begin` is when the window began, on the samples' clock: what matters is that the steady
// part has begun by then, and that nothing shifted inside it.
Steadiness judge_steadiness(const std::vector<RateSample>& samples, double window_begin);

// The batch at which to cut, 0 .. size/2: smallest (sum of squared deviations)/(n - d)^2. A result
// of size/2 says that the minimum lies there or beyond. Needs at least 4 batches.
std::size_t mser_cut(const std::vector<double>& batches);

// Largest |CUSUM| over the standard deviation and the root of the length, and where it is: for a
// series without a shift below 1.63 in 99 of 100 cases (Kolmogorov's distribution).
struct Shift {
  double statistic = 0;
  std::size_t at = 0;  // first element behind the shift
};
Shift largest_shift(const std::vector<double>& series);

}  // namespace archbench
