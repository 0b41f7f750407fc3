// What h2load, ab and stload say about a run, good and broken. (wrk: wrk_test.cc)
#include <gtest/gtest.h>

#include "harness/error.h"
#include "harness/generators/ab.h"
#include "harness/generators/h2load.h"
#include "harness/generators/scan.h"
#include "harness/generators/stload_driver.h"

namespace archbench {
namespace {

// As h2load 1.52 and ab 2.3 printed them here.
const std::string kH2load = R"(finished in 1.00s, 45090.00 req/s, 50.05MB/s
requests: 45090 total, 45098 started, 45090 done, 45080 succeeded, 10 failed, 3 errored, 7 timeout
status codes: 45080 2xx, 0 3xx, 4 4xx, 6 5xx
traffic: 50.05MB (52484760) total, 4.52MB (4735290) headers (space savings 0.00%), 44.04MB (46180352) data
                     min         max         mean         sd        +/- sd
time for request:       36us     17.21ms       177us       517us    97.92%
)";
const std::string kAb = R"(Concurrency Level:      8
Time taken for tests:   1.027 seconds
Complete requests:      6855
Failed requests:        5
   (Connect: 1, Receive: 2, Length: 2, Exceptions: 0)
Non-2xx responses:      6
Total transferred:      1124220 bytes
Time per request:       1.199 [ms] (mean)
)";
const std::string kAbPercentiles =
    "Percentage served,Time in ms\n0,0.029\n50,0.250\n90,1.5\n99,3.825\n100,21.557\n";

TEST(H2loadReport, is_read_with_its_errors) {
  const GeneratorReport report = parse_h2load_report(kH2load);
  EXPECT_EQ(report.requests, 45'090u);
  EXPECT_EQ(report.bytes, 52'484'760u);
  EXPECT_DOUBLE_EQ(report.duration_s, 1);
  EXPECT_EQ(report.errors_read, 3u);
  EXPECT_EQ(report.errors_timeout, 7u);
  EXPECT_EQ(report.errors_status, 10u);
  EXPECT_DOUBLE_EQ(*report.latencies.mean_us, 177);
  EXPECT_DOUBLE_EQ(*report.latencies.max_us, 17'210);
  EXPECT_TRUE(report.absent.contains("latency_us_p50"));
}

TEST(AbReport, is_read_with_its_errors_and_without_its_mean) {
  const GeneratorReport report = parse_ab_report(kAb, kAbPercentiles);
  EXPECT_EQ(report.requests, 6855u);
  EXPECT_EQ(report.errors_connect, 1u);
  EXPECT_EQ(report.errors_read, 4u);
  EXPECT_EQ(report.errors_status, 6u);
  EXPECT_DOUBLE_EQ(*report.latencies.p50_us, 250);
  EXPECT_DOUBLE_EQ(*report.latencies.p99_us, 3825);
  EXPECT_DOUBLE_EQ(*report.latencies.max_us, 21'557);
  EXPECT_FALSE(report.latencies.mean_us);
}

std::string stload(const std::string& kind) {
  return R"({"load":{"kind":")" + kind + R"("},
    "window":{"completed_rps":990.5},
    "run":{"duration_s":2.5,"answers":2400,"bytes_read":240000,"statuses":{"200":2390,"503":10},
           "errors":{"connect":1,"write":2,"read":3,"closed":4,"timeout":5,"malformed":6,
                     "wrong_body":7,"unfinished":8,"unsent":9}},
    "latency_us":{"mean":100,"p50":90,"p99":400,"max":900},
    "send_lag_us":{"p99":12},
    "clients":{"jain_index":0.9,"answers_min":3,"served":8}})";
}

TEST(StloadReport, of_a_closed_loop_has_plain_latencies) {
  const GeneratorReport report = parse_stload_report(stload("closed"));
  EXPECT_EQ(report.requests, 2400u);
  EXPECT_EQ(report.errors_connect, 1u);
  EXPECT_EQ(report.errors_read, 20u);
  EXPECT_EQ(report.errors_timeout, 5u);
  EXPECT_EQ(report.errors_status, 10u);
  EXPECT_DOUBLE_EQ(*report.latencies.p99_us, 400);
  EXPECT_FALSE(report.latencies.p90_us);
  EXPECT_DOUBLE_EQ(*report.latency_rps, 990.5);
  EXPECT_DOUBLE_EQ(*report.jain_index, 0.9);
  EXPECT_EQ(report.slowest_client_requests, 3u);
}

TEST(StloadReport, of_an_open_loop_counts_from_when_a_request_was_due) {
  const GeneratorReport report = parse_stload_report(stload("open"));
  EXPECT_FALSE(report.latencies.mean_us);
  EXPECT_DOUBLE_EQ(*report.intended.mean_us, 100);
  EXPECT_DOUBLE_EQ(*report.send_lag_us_p99, 12);
}

TEST(Reports, that_are_not_understood_are_errors_and_never_zeros) {
  EXPECT_THROW(parse_h2load_report(""), CellFailed);
  EXPECT_THROW(parse_h2load_report(kH2load.substr(0, 200)), CellFailed);
  EXPECT_THROW(parse_ab_report("", ""), CellFailed);
  EXPECT_THROW(parse_ab_report(kAb, ""), CellFailed);
  EXPECT_THROW(parse_stload_report("{}"), CellFailed);
  std::string odd = kH2load;
  odd.replace(odd.find("45090 done"), 5, "many!");
  EXPECT_THROW(parse_h2load_report(odd), CellFailed);
}

TEST(Scan, names_what_it_did_not_find) {
  const Scan line("a: 1 two (3)\n", "a:");
  EXPECT_EQ(line.count(0), 1u);
  EXPECT_EQ(line.count_in_brackets(), 3u);
  EXPECT_THROW(line.count(1), Error);
  EXPECT_THROW(line.number(1), Error);
  EXPECT_THROW(line.word(3), Error);
  EXPECT_THROW(line.count_before("four"), Error);
  EXPECT_THROW(Scan("b", "a:"), Error);
  EXPECT_THROW(Scan("a: x", "a:").count_in_brackets(), Error);
}

}  // namespace
}  // namespace archbench
