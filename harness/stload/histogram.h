// Durations, counted in buckets that grow with the value.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "harness/stload/clock.h"

namespace stload {

// Every power of two is cut into 128 buckets of equal width, so that a bucket is at most 1/128 of
// what it holds and its middle is right to 0.4 %. Below 128 ns each nanosecond has its own.
//
// A fixed array without pointers: it lies in memory that processes share, and adding to it is a few
// instructions.
class Histogram {
 public:
  void add(Duration value) {
    const auto ns = static_cast<std::uint64_t>(value.count() < 0 ? 0 : value.count());
    ++counts_[bucket(ns)];
    ++count_;
    sum_ns_ += static_cast<double>(ns);
    if (ns < min_ns_) min_ns_ = ns;
    if (ns > max_ns_) max_ns_ = ns;
  }

  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }

  // Exact. Undefined without values.
  Duration mean() const;
  Duration min() const { return Duration(min_ns_); }
  Duration max() const { return Duration(max_ns_); }

  // The value with this rank, counted from 1 for the smallest; `rank` is at most count().
  Duration at_rank(std::uint64_t rank) const;

  // The middle of each bucket that is not empty, and its count; ascending.
  std::vector<std::pair<Duration, std::uint64_t>> pairs() const;

 private:
  static constexpr int kBits = 7;  // 128 buckets for each power of two
  // Two and a half hours; longer ones are counted there (their mean and maximum stay exact).
  static constexpr int kLargestPower = 43;
  static constexpr std::uint64_t kPerPower = 1 << kBits;
  static constexpr std::size_t kBuckets = (kLargestPower - kBits + 1) * kPerPower;

  static std::size_t bucket(std::uint64_t ns) {
    if (ns < kPerPower) return ns;
    if (ns >> kLargestPower) return kBuckets - 1;
    const int shift = static_cast<int>(std::bit_width(ns)) - 1 - kBits;
    return static_cast<std::size_t>(shift) * kPerPower + (ns >> shift);
  }
  Duration middle(std::size_t bucket) const;

  std::uint64_t count_ = 0;
  double sum_ns_ = 0;
  std::uint64_t min_ns_ = UINT64_MAX;
  std::uint64_t max_ns_ = 0;
  std::array<std::uint64_t, kBuckets> counts_{};
};

}  // namespace stload
