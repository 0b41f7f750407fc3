#include "harness/stload/percentile.h"

#include <algorithm>
#include <cmath>

#include "harness/stload/text.h"

namespace stload {

PercentileValue percentile(const Histogram& answers, std::uint64_t unanswered,
                           const Percentile& which) {
  const std::uint64_t total = answers.count() + unanswered;
  const auto needed = static_cast<std::uint64_t>(std::llround(kBeyond / (1 - which.share)));
  if (total < needed) {
    return {{}, "needs " + grouped(needed) + " requests, there were " + grouped(total)};
  }
  // The smallest rank that at least this share of all does not exceed. Without the small step back,
  // 0.99 x 10,000 would be rounded up to 9,901.
  const double exact = which.share * static_cast<double>(total);
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(exact - 1e-6)));
  if (rank > answers.count()) {
    return {{}, grouped(unanswered) + " of " + grouped(total) + " requests have no answer"};
  }
  return {answers.at_rank(rank), {}};
}

}  // namespace stload
