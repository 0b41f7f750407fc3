// Warm-up and steady state, on series whose truth is known.
#include "harness/servers/steady.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "harness/campaign/schedule.h"

namespace archbench {
namespace {

// Ten seconds of counters, one sample each 100 ms, from a rate for each moment and 2 % of noise.
std::vector<RateSample> counted(const std::function<double(double)>& rate, std::uint64_t seed = 1) {
  SplitMix64 random(seed);
  std::vector<RateSample> samples{{0, 0}};
  for (int i = 0; i < 100; ++i) {
    double noise = 0;  // the sum of 12 uniform numbers is nearly normal
    for (int k = 0; k < 12; ++k) noise += static_cast<double>(random.below(1000)) / 1000 - 0.5;
    const double time = 0.1 * (i + 1);
    samples.push_back({time, samples.back().requests + 0.1 * rate(time) * (1 + 0.02 * noise)});
  }
  return samples;
}

TEST(Steadiness, constant_rate_is_steady_from_the_beginning) {
  int steady = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    steady += judge_steadiness(counted([](double) { return 1000; }, seed), 2).steady ? 1 : 0;
  }
  EXPECT_GE(steady, 196)
      << "of 200";  // the shift test errs in 1 of 100, and then only if it matters
}

TEST(Steadiness, warm_up_is_cut_off_where_it_ends) {
  const auto slow_start = [](double time) { return time < 1.5 ? 300.0 : 1000.0; };
  const Steadiness verdict = judge_steadiness(counted(slow_start), 2);
  EXPECT_TRUE(verdict.steady) << verdict.text;
  EXPECT_NEAR(*verdict.settled_s, 1.5, 0.3);
}

TEST(Steadiness, rate_that_never_settles_is_no_steady_state) {
  const auto climbing = [](double time) { return 100 * time; };
  const Steadiness verdict = judge_steadiness(counted(climbing), 2);
  EXPECT_FALSE(verdict.steady);
  EXPECT_NE(verdict.text.find("no steady state"), std::string::npos);
}

TEST(Steadiness, later_shift_is_found_and_described) {
  const auto step = [](double time) { return time < 6 ? 1000.0 : 850.0; };
  const Steadiness verdict = judge_steadiness(counted(step), 2);
  EXPECT_FALSE(verdict.steady);
  EXPECT_NEAR(verdict.shift, -0.15, 0.02);
  EXPECT_NEAR(verdict.shift_at_s, 6, 0.3);
}

TEST(Steadiness, short_series_is_not_judged) {
  auto samples = counted([](double) { return 1000; });
  samples.resize(40);
  EXPECT_FALSE(judge_steadiness(samples, 1).judged);
  EXPECT_FALSE(judge_steadiness({}, 0).judged);
}

TEST(Mser, cuts_nothing_off_a_constant_and_the_first_of_an_outlier) {
  EXPECT_EQ(mser_cut({5, 5, 5, 5, 5, 5}), 0u);
  EXPECT_EQ(mser_cut({50, 5, 5.1, 4.9, 5, 5.1, 4.9, 5}), 1u);
}

TEST(Shift, lies_where_the_mean_changes) {
  const Shift shift = largest_shift({1, 2, 1, 2, 1, 2, 7, 8, 7, 8, 7, 8});
  EXPECT_EQ(shift.at, 6u);
  EXPECT_GT(shift.statistic, 1.63);
  EXPECT_LT(largest_shift({1, 2, 1, 2, 1, 2, 1, 2}).statistic, 1);
}

}  // namespace
}  // namespace archbench
