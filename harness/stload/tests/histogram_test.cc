#include "harness/stload/histogram.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/stload/percentile.h"

namespace stload {
namespace {

constexpr Percentile kP50 = kPercentiles[0], kP99 = kPercentiles[2];

Duration us(double value) { return from_seconds(value * 1e-6); }

double off_by(Duration seen, Duration right) {
  return std::abs(static_cast<double>((seen - right).count())) / static_cast<double>(right.count());
}

TEST(Histogram, every_value_is_right_to_half_a_percent) {
  for (double ns = 1; ns < 8e12; ns *= 1.013) {
    const Duration value(std::llround(ns));
    Histogram histogram;
    histogram.add(Duration(1));  // so that the value is not its own minimum
    histogram.add(value);
    histogram.add(value * 2);
    EXPECT_LT(off_by(histogram.at_rank(2), value), 0.005) << ns;
  }
}

TEST(Histogram, mean_and_extremes_are_exact) {
  Histogram histogram;
  for (const long ns : {1'000'003L, 5'000'021L, 3'000'003L}) histogram.add(Duration(ns));
  EXPECT_EQ(histogram.mean(), Duration(3'000'009));
  EXPECT_EQ(histogram.min(), Duration(1'000'003));
  EXPECT_EQ(histogram.max(), Duration(5'000'021));
  EXPECT_GE(histogram.at_rank(1), histogram.min());
  EXPECT_LE(histogram.at_rank(3), histogram.max());
}

TEST(Histogram, what_is_longer_than_the_last_bucket_is_counted_in_it) {
  Histogram histogram;
  histogram.add(std::chrono::hours(100));
  EXPECT_EQ(histogram.count(), 1u);
  EXPECT_EQ(histogram.max(), std::chrono::hours(100));
  EXPECT_EQ(histogram.pairs().size(), 1u);
}

TEST(Histogram, a_clock_that_went_back_is_no_time_at_all) {
  Histogram histogram;
  histogram.add(Duration(-5));
  EXPECT_EQ(histogram.max(), Duration(0));
}

TEST(Histogram, merged_ones_are_as_if_counted_in_one) {
  Histogram one, other, both;
  for (int i = 1; i < 1000; ++i) {
    (i % 3 ? one : other).add(us(i * i));
    both.add(us(i * i));
  }
  one.merge(other);
  EXPECT_EQ(one.pairs(), both.pairs());
  EXPECT_EQ(one.mean(), both.mean());
  EXPECT_EQ(one.min(), both.min());
  EXPECT_EQ(one.max(), both.max());
  one.merge(Histogram());
  EXPECT_EQ(one.min(), both.min());
}

TEST(Percentile, is_the_value_that_so_many_do_not_exceed) {
  Histogram histogram;
  for (int i = 1; i <= 10'000; ++i) histogram.add(us(i));
  EXPECT_LT(off_by(*percentile(histogram, 0, kP50).value, us(5'000)), 0.005);
  EXPECT_LT(off_by(*percentile(histogram, 0, kP99).value, us(9'900)), 0.005);
}

TEST(Percentile, of_too_few_requests_is_withheld) {
  Histogram histogram;
  for (int i = 0; i < 9'999; ++i) histogram.add(us(1));
  EXPECT_FALSE(percentile(histogram, 0, kP99).value);
  EXPECT_EQ(percentile(histogram, 0, kP99).withheld, "needs 10,000 requests, there were 9,999");
  histogram.add(us(1));
  EXPECT_TRUE(percentile(histogram, 0, kP99).value);
  EXPECT_EQ(percentile(histogram, 0, kPercentiles[3]).withheld,
            "needs 100,000 requests, there were 10,000");
}

TEST(Percentile, counts_the_unanswered_as_slower_than_every_answer) {
  Histogram histogram;
  for (int i = 1; i <= 9'900; ++i) histogram.add(us(i));
  EXPECT_LT(off_by(*percentile(histogram, 100, kP99).value, us(9'900)), 0.005);
  EXPECT_FALSE(percentile(histogram, 101, kP99).value);
  EXPECT_EQ(percentile(histogram, 101, kP99).withheld, "101 of 10,001 requests have no answer");
  EXPECT_TRUE(percentile(histogram, 101, kP50).value);
}

}  // namespace
}  // namespace stload
