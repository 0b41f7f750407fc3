// Latencies as (value, count) pairs: exact, mergeable, and small.
#pragma once

#include <cstdint>
#include <vector>

namespace archbench {

struct LatencyCount {
  std::uint64_t latency_us = 0;
  std::uint64_t count = 0;
  friend bool operator==(const LatencyCount&, const LatencyCount&) = default;
};

// Ascending by latency, no latency twice, no count of 0.
using Histogram = std::vector<LatencyCount>;

std::uint64_t total_count(const Histogram& histogram);

// Undefined for an empty histogram, as are the percentiles: callers ask for the count first.
double mean_us(const Histogram& histogram);

// Smallest latency that at least `share` (0..1) of the answers did not exceed: an observed value,
// not an interpolated one.
double percentile_us(const Histogram& histogram, double share);

}  // namespace archbench
