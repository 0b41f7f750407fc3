// The order of steps, checked with fakes that take no time.
#include "harness/runner.h"

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
  CounterTotals counters() override {
    counters_.requests += 1000;
    counters_.connections = connected_;
    return counters_;
  }
  double cpu_s() override { return 1; }
  Census census() override {
    log_.push_back("census");
    return {};
  }
  bool running() override { return !dies; }
  bool stop() override {
    log_.push_back("stop");
    return true;
  }
  std::vector<std::string> collect_raw_files() override { return {"server.err"}; }
  void abandon() noexcept override { abandoned = true; }

  void connect(std::uint64_t clients) { connected_ = clients; }
  bool fails_to_start = false, dies = false, abandoned = false;

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

class RunnerTest : public testing::Test {
 protected:
  RunnerTest() {
    plan_.warmup_seconds = 1;
    plan_.seconds = 2;
  }
  Result run() {
    Runner runner({.server = server_,
                   .generator = generator_,
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
                   .cpus = {0, 1, 2},
                   .raw_directory = scratch_.path()},
                  plan_);
    return runner.run(cell_);
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
};

TEST_F(RunnerTest, steps_come_in_the_order_of_the_protocol) {
  const Result result = run();
  EXPECT_EQ(result.failure, "");
  EXPECT_EQ(log_, (Log{"start on 0", "probe", "load on 1-2", "census", "census", "finish", "probe",
                       "stop"}));
  EXPECT_TRUE(server_.abandoned);
  EXPECT_TRUE(generator_.abandoned);
}

TEST_F(RunnerTest, window_follows_the_warm_up_and_has_the_planned_length) {
  const double begin = clock_.now();
  const Result result = run();
  EXPECT_NEAR(*result.measurements.duration_s, 2, 1e-9);
  EXPECT_NEAR(clock_.now() - begin, 1 + 2, 1e-9);
}

TEST_F(RunnerTest, record_names_commands_cpus_and_files) {
  const Provenance from = run().provenance;
  EXPECT_EQ(from.server_command, Log{"server"});
  EXPECT_EQ(from.generator_command, Log{"generator"});
  EXPECT_EQ(from.server_cpu_list, "0");
  EXPECT_EQ(from.generator_cpu_list, "1-2");
  EXPECT_EQ(from.raw,
            (Log{"raw/load.json", "raw/server.err", "raw/" + cell_.file_stem() + ".samples.json"}));
  EXPECT_TRUE(std::filesystem::exists(scratch_.path() / (cell_.file_stem() + ".samples.json")));
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
