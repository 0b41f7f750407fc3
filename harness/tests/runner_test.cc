// The order of steps, checked with fakes that take no time.
#include "harness/cell/runner.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/error.h"
#include "harness/tests/scratch.h"

namespace archbench {
namespace {

using Log = std::vector<std::string>;

class FakeClock : public Clock {
 public:
  double now() override { return now_; }
  void sleep_until(double time) override { now_ = std::max(now_, time); }

 private:
  double now_ = 1000;
};

class FakeServer : public Server {
 public:
  explicit FakeServer(Log& log) : log_(log) {}
  std::string start(const Cell&, const ServerStart& how) override {
    log_.push_back("start on " + cpu_list(how.cpus));
    if (fails_to_start) throw CellFailed("no server today");
    return "http://127.0.0.1:1";
  }
  std::vector<std::string> command() const override { return {"server"}; }
  std::optional<CounterTotals> counters() override {
    if (!counts) return std::nullopt;
    counters_.requests += goes_back && counters_.requests > 20'000 ? -1000 : 1000;
    counters_.connections = connected_;
    return counters_;
  }
  double cpu_s() override { return 1; }
  Census census() override {
    log_.push_back("census");
    return {};
  }
  bool running() override { return !dies; }
  std::string program_sha256() override { return "abc"; }
  bool stop() override {
    log_.push_back("stop");
    return true;
  }
  std::vector<std::string> collect_raw_files() override { return {"server.err"}; }
  void abandon() noexcept override { abandoned = true; }

  void connect(std::uint64_t clients) { connected_ = clients; }
  bool fails_to_start = false, dies = false, abandoned = false, counts = true;
  bool goes_back = false;  // what it has counted, under load

 private:
  Log& log_;
  CounterTotals counters_;
  std::uint64_t connected_ = 0;
};

class FakeGenerator : public Generator {
 public:
  FakeGenerator(Log& log, FakeServer& server) : log_(log), server_(server) {}
  void start(const Load& load) override {
    log_.push_back("load on " + cpu_list(load.cpus));
    if (connects) server_.connect(static_cast<std::uint64_t>(load.clients));
  }
  int threads() const override { return 1; }
  std::vector<std::string> command() const override { return {"generator"}; }
  bool running() override { return !interrupted_by || (throw Interrupted(interrupted_by), true); }
  double cpu_s() override { return 1; }
  std::vector<double> worker_cpu_s() override { return {1}; }
  GeneratorReport finish() override {
    log_.push_back("finish");
    if (fails) throw CellFailed("generator talked nonsense");
    GeneratorReport report;
    report.requests = 100;
    report.duration_s = 1;
    report.latency = {{100, 100}};
    return report;
  }
  std::vector<std::string> collect_raw_files() override { return {"load.json"}; }
  void abandon() noexcept override { abandoned = true; }
  bool fails = false, abandoned = false, connects = true;
  int interrupted_by = 0;

 private:
  Log& log_;
  FakeServer& server_;
};

class FakeCount : public SyscallCount {
 public:
  std::uint64_t read() override { return calls_ += 2000; }

 private:
  std::uint64_t calls_ = 0;
};

class RunnerTest : public testing::Test {
 protected:
  RunnerTest() {
    plan_.warmup_seconds = 1;
    plan_.seconds = 2;
  }
  Result run() {
    Runner runner({.server = server_,
                   .generator = [this](const std::string& name) -> Generator& {
                     generator_name_ = name;
                     return generator_;
                   },
                   .clock = clock_,
                   .probe =
                       [this](const std::string&, const std::string&, bool) {
                         log_.push_back("probe");
                         return body_;
                       },
                   .machine =
                       [this] {
                         busy_ += 1;
                         return MachineTimes{busy_, 0, 10 * busy_};
                       },
                   .kernel = [] { return KernelCounts{}; },
                   .established = [this](const std::string&) { return established_; },
                   .syscalls = [this](const std::vector<pid_t>&,
                                      std::string& why) -> std::unique_ptr<SyscallCount> {
                     log_.push_back("syscalls");
                     why = "not today";
                     if (!may_count_syscalls_) return nullptr;
                     return std::make_unique<FakeCount>();
                   },
                   .own_cpu_s = [] { return 0.0; },
                   .place =
                       [](const Cell& cell) {
                         return place({0, 1, 2}, cell.cpus);
                       },
                   .raw_directory = scratch_.path(),
                   .files = {}},
                  plan_);
    return runner.run(cell_, {.ceiling_rps = 1e9, .expected_sha256 = "abc", .origin = {}});
  }

  Scratch scratch_;
  Log log_;
  FakeClock clock_;
  FakeServer server_{log_};
  FakeGenerator generator_{log_, server_};
  Body body_{200, 40, std::string(100, 'x')};
  Plan plan_;
  Cell cell_{{"st", "process", "st", {}}, {"w", "/bytes/100", true}, 10, 1, 0, 0};
  double busy_ = 0;
  bool may_count_syscalls_ = true;
  std::optional<std::uint64_t> established_ = 10;
  std::string generator_name_;
};

TEST_F(RunnerTest, steps_come_in_the_order_of_the_protocol) {
  const Result result = run();
  EXPECT_EQ(result.failure, "");
  EXPECT_EQ(log_, (Log{"start on 0", "probe", "census", "load on 1-2", "census", "census",
                       "syscalls", "finish", "probe", "stop"}));
  EXPECT_EQ(generator_name_, "wrk");
  EXPECT_TRUE(server_.abandoned);
  EXPECT_TRUE(generator_.abandoned);
}

TEST_F(RunnerTest, window_follows_the_warm_up_and_has_the_planned_length) {
  const double begin = clock_.now();
  const Result result = run();
  EXPECT_NEAR(*result.measurements.duration_s, 2, 1e-9);
  EXPECT_NEAR(clock_.now() - begin, 1 + 2 + 0.2, 1e-9);  // and the counting of system calls
}

TEST_F(RunnerTest, record_names_commands_cpus_and_files) {
  const Provenance from = run().provenance;
  EXPECT_EQ(from.server_command, Log{"server"});
  EXPECT_EQ(from.generator_command, Log{"generator"});
  EXPECT_EQ(from.server_cpu_list, "0");
  EXPECT_EQ(from.generator_cpu_list, "1-2");
  EXPECT_EQ(from.raw, (Log{"raw/load.json", "raw/server.err"}));
  EXPECT_EQ(from.server_binary_sha256, "abc");
}

TEST_F(RunnerTest, samples_cover_the_warm_up_and_the_window) {
  const auto samples = run().samples;
  ASSERT_GT(samples.size(), 70u);  // 3 s in steps of a fiftieth of the window
  EXPECT_NEAR(samples.front().time_s, -0.96, 1e-9);
  EXPECT_NEAR(samples.back().time_s, 2, 1e-9);
  for (std::size_t i = 1; i < samples.size(); ++i) {
    EXPECT_GT(samples[i].requests, samples[i - 1].requests);
  }
}

TEST_F(RunnerTest, system_calls_are_counted_in_the_first_block_alone) {
  EXPECT_DOUBLE_EQ(*run().measurements.syscalls_per_request, 2);
  cell_.block = 1;
  EXPECT_FALSE(run().measurements.syscalls_per_request);
}

TEST_F(RunnerTest, system_calls_that_may_not_be_counted_are_absent_with_the_reason) {
  may_count_syscalls_ = false;
  const Result result = run();
  EXPECT_EQ(result.failure, "");
  EXPECT_EQ(result.absent.at("syscalls_per_request"), "not today");
}

TEST_F(RunnerTest, server_without_counters_is_asked_of_the_kernel_whether_all_are_connected) {
  server_.counts = false;
  established_ = 3;
  const Result result = run();
  EXPECT_EQ(result.failure, "");
  const auto& warnings = result.warnings;
  EXPECT_NE(std::find(warnings.begin(), warnings.end(), Warning::not_all_connected),
            warnings.end());
  EXPECT_TRUE(result.absent.contains("requests"));
}

TEST_F(RunnerTest, clients_that_never_connect_are_waited_for_and_then_reported) {
  generator_.connects = false;
  const Result result = run();
  const auto& warnings = result.warnings;
  EXPECT_NE(std::find(warnings.begin(), warnings.end(), Warning::not_all_connected),
            warnings.end());
}

TEST_F(RunnerTest, server_that_does_not_start_is_a_failed_cell) {
  server_.fails_to_start = true;
  EXPECT_EQ(run().failure, "no server today");
  EXPECT_EQ(log_, Log{"start on 0"});
  EXPECT_TRUE(server_.abandoned);
}

TEST_F(RunnerTest, counters_that_go_back_are_a_failed_cell) {
  server_.goes_back = true;
  EXPECT_EQ(run().failure,
            "the server's counters went back, from 21000 requests and 0 bytes to 20000 and 0; "
            "expected that they only grow");
  EXPECT_TRUE(server_.abandoned);
}

TEST_F(RunnerTest, wrong_body_is_found_before_any_load) {
  body_.content.pop_back();
  EXPECT_EQ(run().failure, "wrong answer before the load: /bytes/100 gave 99 bytes");
  EXPECT_EQ(log_, (Log{"start on 0", "probe"}));
}

TEST_F(RunnerTest, server_that_dies_under_load_is_a_failed_cell) {
  server_.dies = true;
  EXPECT_EQ(run().failure, "the server ended under load");
  EXPECT_TRUE(generator_.abandoned);
}

TEST_F(RunnerTest, generator_that_is_not_understood_is_a_failed_cell) {
  generator_.fails = true;
  const Result result = run();
  EXPECT_EQ(result.failure, "generator talked nonsense");
  EXPECT_FALSE(result.measurements.requests);
}

TEST_F(RunnerTest, interruption_is_no_result_and_leaves_nothing_running) {
  generator_.interrupted_by = 15;
  EXPECT_THROW(run(), Interrupted);
  EXPECT_TRUE(server_.abandoned);
  EXPECT_TRUE(generator_.abandoned);
}

TEST(Placement, generator_gets_the_rest_or_shares) {
  EXPECT_EQ(place({0, 1, 4, 5}, 2).server, (std::vector{0, 1}));
  EXPECT_EQ(place({0, 1, 4, 5}, 2).generator, (std::vector{4, 5}));
  EXPECT_FALSE(place({0, 1, 4, 5}, 2).shared);
  EXPECT_EQ(place({0, 1}, 2).generator, (std::vector{0, 1}));
  EXPECT_TRUE(place({0, 1}, 2).shared);
}

}  // namespace
}  // namespace archbench
