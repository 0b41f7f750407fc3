#include "harness/generators/histogram.h"

#include <gtest/gtest.h>

namespace archbench {
namespace {

TEST(Histogram, mean_weighs_by_count) { EXPECT_DOUBLE_EQ(mean_us({{10, 3}, {50, 1}}), 20); }

TEST(Histogram, percentile_is_an_observed_value) {
  const Histogram histogram{{1, 50}, {2, 40}, {3, 9}, {1000, 1}};
  EXPECT_EQ(percentile_us(histogram, 0.5), 1);
  EXPECT_EQ(percentile_us(histogram, 0.51), 2);
  EXPECT_EQ(percentile_us(histogram, 0.9), 2);
  EXPECT_EQ(percentile_us(histogram, 0.99), 3);
  EXPECT_EQ(percentile_us(histogram, 1), 1000);
}

TEST(Histogram, percentile_of_a_single_answer_is_that_answer) {
  EXPECT_EQ(percentile_us({{7, 1}}, 0.01), 7);
  EXPECT_EQ(percentile_us({{7, 1}}, 0.999), 7);
}

}  // namespace
}  // namespace archbench
