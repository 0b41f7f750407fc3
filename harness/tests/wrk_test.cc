#include "harness/generators/wrk.h"

#include <gtest/gtest.h>

#include <map>

#include "harness/campaign/schedule.h"
#include "harness/error.h"

namespace archbench {
namespace {

// wrk's correction as it is described (results/README.md), written as a loop over the latencies,
// which is not how uncorrect() undoes it.
Histogram correct(const Histogram& raw, std::uint64_t e) {
  std::map<std::uint64_t, std::uint64_t> data;
  for (const auto& [latency, count] : raw) data[latency] += count;
  for (const auto& [latency, count] : raw) {
    if (latency < 2 * e) continue;
    for (std::uint64_t m = latency - e; m > e; m -= e) data[m] += count;
  }
  Histogram corrected;
  for (const auto& [latency, count] : data) corrected.push_back({latency, count});
  return corrected;
}

TEST(Uncorrect, removes_the_copies_of_a_slow_answer) {
  // e = 10: the answer at 45 was copied to 35, 25 and 15, the one at 20 nowhere (10 is not above
  // e).
  const Histogram corrected{{5, 100}, {15, 1}, {20, 1}, {25, 1}, {35, 1}, {45, 1}};
  EXPECT_EQ(uncorrect(corrected, 10), (Histogram{{5, 100}, {20, 1}, {45, 1}}));
}

TEST(Uncorrect, undoes_the_correction_of_any_histogram) {
  SplitMix64 random(42);
  for (int round = 0; round < 2000; ++round) {
    const std::uint64_t e = 1 + random.below(40);
    std::map<std::uint64_t, std::uint64_t> counts;
    for (std::uint64_t i = random.below(30); i > 0; --i) {
      counts[random.below(300)] += 1 + random.below(9);
    }
    Histogram raw;
    for (const auto& [latency, count] : counts) raw.push_back({latency, count});
    ASSERT_EQ(uncorrect(correct(raw, e), e), raw) << "round " << round << ", e = " << e;
  }
}

TEST(Uncorrect, refuses_what_no_correction_can_have_made) {
  EXPECT_THROW(uncorrect({{15, 1}, {25, 2}}, 10), CellFailed);
}

// As report.lua wrote it for two clients: e = 100000 / (10 / 2) = 20000, one answer at 60000 and
// its copy at 40000. (20000 is not above e.)
constexpr auto kReport = R"({"requests":10,"bytes":1400,"duration_us":100000,
  "errors":{"connect":0,"read":1,"write":2,"status":3,"timeout":4},
  "latency_us":[[100,5],[40000,1],[60000,1]]})";

TEST(WrkReport, is_read_with_its_errors_and_without_the_correction) {
  const GeneratorReport report = parse_wrk_report(kReport, 2);
  EXPECT_EQ(report.requests, 10u);
  EXPECT_EQ(report.bytes, 1400u);
  EXPECT_DOUBLE_EQ(report.duration_s, 0.1);
  EXPECT_EQ(report.errors_read, 1u);
  EXPECT_EQ(report.errors_write, 2u);
  EXPECT_EQ(report.errors_status, 3u);
  EXPECT_EQ(report.errors_timeout, 4u);
  EXPECT_EQ(report.latency, (Histogram{{100, 5}, {60000, 1}}));
}

TEST(WrkReport, without_an_answer_has_no_latency) {
  const GeneratorReport report = parse_wrk_report(
      R"({"requests":0,"bytes":0,"duration_us":1000,
          "errors":{"connect":2,"read":0,"write":0,"status":0,"timeout":0},"latency_us":[]})",
      2);
  EXPECT_EQ(report.errors_connect, 2u);
  EXPECT_TRUE(report.latency.empty());
}

TEST(WrkReport, that_is_not_understood_is_an_error_and_never_a_zero) {
  const std::string good = kReport;
  for (const std::string& bad :
       {std::string(), good.substr(0, 60), std::string("{}"), std::string("[]"),
        std::string(good).replace(good.find("1400"), 4, "\"14\""),
        std::string(good).replace(good.find("[100,5]"), 7, "[100]")}) {
    EXPECT_THROW(parse_wrk_report(bad, 2), CellFailed) << bad;
  }
}

TEST(WrkReport, whose_latencies_do_not_add_up_is_an_error) {
  std::string report = kReport;
  report.replace(report.find("[100,5]"), 7, "[100,6]");
  EXPECT_THROW(parse_wrk_report(report, 2), CellFailed);
}

}  // namespace
}  // namespace archbench
