#include "harness/generators/histogram.h"

#include <algorithm>
#include <cmath>

namespace archbench {

std::uint64_t total_count(const Histogram& histogram) {
  std::uint64_t total = 0;
  for (const auto& [latency_us, count] : histogram) total += count;
  return total;
}

double mean_us(const Histogram& histogram) {
  double sum = 0;
  for (const auto& [latency_us, count] : histogram) {
    sum += static_cast<double>(latency_us) * static_cast<double>(count);
  }
  return sum / static_cast<double>(total_count(histogram));
}

double percentile_us(const Histogram& histogram, double share) {
  const auto total = static_cast<double>(total_count(histogram));
  const auto rank = std::max(1.0, std::ceil(share * total));
  double seen = 0;
  for (const auto& [latency_us, count] : histogram) {
    seen += static_cast<double>(count);
    if (seen >= rank) return static_cast<double>(latency_us);
  }
  return static_cast<double>(histogram.back().latency_us);
}

}  // namespace archbench
