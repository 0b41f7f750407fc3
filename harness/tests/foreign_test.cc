// Other people's results. The texts follow the forms of the tools; the numbers are made up.
#include "harness/foreign/foreign.h"

#include <gtest/gtest.h>

#include <fstream>

#include "harness/error.h"
#include "harness/tests/scratch.h"

namespace archbench {
namespace {

const std::string kWrk = R"(Running 10s test @ http://127.0.0.1:8080/
  2 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.00ms  300.00us   9.00ms   90.00%
    Req/Sec    32.00k     1.00k   34.00k    70.00%
  640000 requests in 10.00s, 700.00MB read
  Socket errors: connect 0, read 3, write 0, timeout 1
  Non-2xx or 3xx responses: 2
Requests/sec:  64000.00
Transfer/sec:     70.00MB
)";

const std::string kOha = R"(Summary:
  Success rate: 100.00%
  Total:        2.0000 secs
  Slowest:      0.0200 secs
  Fastest:      0.0001 secs
  Average:      0.0010 secs
  Requests/sec: 50000.0000

Status code distribution:
  [200] 99990 responses
  [503] 10 responses
)";

const std::string kTechEmpower = R"({"duration": 15, "concurrencyLevels": [16, 64],
  "pipelineConcurrencyLevels": [256],
  "rawData": {
    "json": {"good": [{"latencyAvg": "160.00us", "latencyMax": "2ms", "totalRequests": 1500000},
                      {"latencyAvg": "640.00us", "latencyMax": "2ms", "totalRequests": 1500000}],
             "bad": [{"latencyAvg": "1.00ms", "latencyMax": "2ms", "totalRequests": 1500000, "5xx": 4}]},
    "plaintext": {"good": [{"latencyAvg": "1.00ms", "totalRequests": 9000000}]},
    "query": {"good": [{"latencyAvg": "6.40ms", "totalRequests": 150000}]}}})";

std::string verdicts(const ForeignRun& run) {
  std::string text;
  for (const ForeignGate& gate : judge(run)) text += gate.verdict.substr(0, 1);
  return text;  // littles_law, rate_agrees, no_errors, latency_possible
}

TEST(Foreign, wrks_words_are_read_and_judged) {
  const auto runs = read_foreign(kWrk, "wrk.txt", std::nullopt);
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].clients, 64);
  EXPECT_EQ(runs[0].requests, 640'000);
  EXPECT_EQ(runs[0].errors_other, 3);
  EXPECT_EQ(runs[0].errors_timeout, 1);
  EXPECT_EQ(runs[0].errors_status, 2);
  EXPECT_EQ(verdicts(runs[0]), "ppfp");
}

TEST(Foreign, little_law_and_impossible_latencies_are_noticed) {
  std::string text = kWrk;
  text.replace(text.find("1.00ms  300.00us"), 16, "2.00ms  300.00us");
  EXPECT_EQ(verdicts(read_foreign(text, "x", {})[0]), "fpfp");
  text = kWrk;
  text.replace(text.find("300.00us   9.00ms"), 17, "9.00ms     9.00ms");
  EXPECT_EQ(verdicts(read_foreign(text, "x", {})[0]), "ppff");
  text = kWrk;
  text.replace(text.find("64000.00"), 8, "74000.00");
  EXPECT_EQ(verdicts(read_foreign(text, "x", {})[0]).substr(1, 1), "f");
}

TEST(Foreign, ohas_words_need_the_clients_from_outside) {
  const auto runs = read_foreign(kOha, "oha.txt", 50);
  EXPECT_EQ(runs[0].requests, 100'000);
  EXPECT_EQ(runs[0].errors_status, 10);
  EXPECT_EQ(verdicts(runs[0]), "ppfp");
  EXPECT_EQ(verdicts(read_foreign(kOha, "oha.txt", {})[0]).substr(0, 1), "u");
}

TEST(Foreign, ohas_json_is_read_too) {
  const auto runs = read_foreign(
      R"({"summary":{"total":2.0,"slowest":0.02,"average":0.001,"requestsPerSec":50000},
          "statusCodeDistribution":{"200":100000},"errorDistribution":{"Connection refused":3}})",
      "oha.json", 50);
  EXPECT_EQ(runs[0].errors_connect, 3);
  EXPECT_EQ(verdicts(runs[0]), "ppfp");
}

TEST(Foreign, h2loads_words_are_read_and_judged) {
  const auto runs = read_foreign(
      "spawning thread #0: 8 total client(s).\n"
      "finished in 1.00s, 45090.00 req/s, 50.05MB/s\n"
      "requests: 45090 total, 45098 started, 45090 done, 45090 succeeded, 0 failed, 0 errored, 0 "
      "timeout\n"
      "status codes: 45090 2xx, 0 3xx, 0 4xx, 0 5xx\n"
      "time for request:       36us     17.21ms       177us       517us    97.92%\n",
      "h2load.txt", {});
  EXPECT_EQ(runs[0].clients, 8);
  EXPECT_EQ(verdicts(runs[0]), "pppp");
}

TEST(Foreign, techempowers_levels_belong_to_their_runs) {
  const auto runs = read_foreign(kTechEmpower, "results.json", {});
  ASSERT_EQ(runs.size(), 5u);
  std::map<std::string, std::string> by_name;
  for (const ForeignRun& run : runs) by_name[run.name] = verdicts(run);
  EXPECT_EQ(by_name["json/good/0"], "pupp");
  EXPECT_EQ(by_name["json/good/1"], "pupp");
  EXPECT_EQ(by_name["json/bad/0"], "fufp");
  EXPECT_EQ(by_name["plaintext/good/0"], "uupu");
  EXPECT_EQ(by_name["query/good/0"].substr(0, 1), "p");  // 10,000/s x 6.4 ms = 64, the last level
}

TEST(Foreign, what_is_not_recognised_or_cut_off_is_an_error) {
  EXPECT_THROW(read_foreign("hello", "x", {}), Error);
  EXPECT_THROW(read_foreign("{}", "x", {}), Error);
  EXPECT_THROW(read_foreign("{", "x", {}), Error);
  EXPECT_THROW(read_foreign(kWrk.substr(0, 180), "x", {}), Error);
  EXPECT_THROW(read_foreign(R"({"rawData": {"json": {"a": [{"totalRequests": 1}]}}})", "x", {}),
               Error);
}

TEST(Foreign, commands_say_what_failed_by_their_status) {
  const Scratch scratch;
  const auto file = scratch.path() / "wrk.txt";
  std::ofstream(file) << kWrk;
  EXPECT_EQ(audit_file(file, {}), 1);
  EXPECT_EQ(import_file(file, {}), 0);
  EXPECT_THROW(audit_file(scratch.path() / "missing", {}), Error);
}

}  // namespace
}  // namespace archbench
