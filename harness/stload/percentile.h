// Percentiles that are only given when they can be known.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "harness/stload/histogram.h"

namespace stload {

struct Percentile {
  const char* name;   // in JSON
  const char* title;  // for people
  double share;
};

inline constexpr std::array<Percentile, 4> kPercentiles = {
    {{"p50", "p50", 0.5}, {"p90", "p90", 0.9}, {"p99", "p99", 0.99}, {"p999", "p99.9", 0.999}}};

// Requests that must lie beyond a percentile: 100 of them know it to about 10 % of its share. So
// p99 needs 10,000 requests and p99.9 needs 100,000.
inline constexpr double kBeyond = 100;

struct PercentileValue {
  std::optional<Duration> value;
  std::string withheld;  // why there is no value
};

// `unanswered` requests have no latency: they count as slower than every answer.
PercentileValue percentile(const Histogram& answers, std::uint64_t unanswered,
                           const Percentile& which);

}  // namespace stload
