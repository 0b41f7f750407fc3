#include "harness/stload/histogram.h"

#include <algorithm>
#include <cmath>

namespace stload {

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  sum_ns_ += other.sum_ns_;
  min_ns_ = std::min(min_ns_, other.min_ns_);
  max_ns_ = std::max(max_ns_, other.max_ns_);
}

Duration Histogram::mean() const {
  return Duration(std::llround(sum_ns_ / static_cast<double>(count_)));
}

Duration Histogram::at_rank(std::uint64_t rank) const {
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen >= rank) return middle(i);
  }
  return max();
}

std::vector<std::pair<Duration, std::uint64_t>> Histogram::pairs() const {
  std::vector<std::pair<Duration, std::uint64_t>> result;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    if (counts_[i] > 0) result.emplace_back(middle(i), counts_[i]);
  }
  return result;
}

// Of the first and the last bucket only a part may be in use: nothing outside of what was seen is
// reported.
Duration Histogram::middle(std::size_t bucket) const {
  std::uint64_t ns = bucket;
  if (bucket >= 2 * kPerPower) {
    const std::size_t shift = bucket / kPerPower - 1;
    const std::uint64_t low = (bucket - shift * kPerPower) << shift;
    ns = low + (std::uint64_t{1} << shift) / 2;
  }
  return Duration(std::clamp(ns, min_ns_, max_ns_));
}

}  // namespace stload
