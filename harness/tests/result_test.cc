// Measurements, warnings and gates from what was seen.
#include "harness/result.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "harness/tests/observations.h"

namespace archbench {
namespace {

Gate gate(const Result& result, const std::string& name) {
  for (const Gate& candidate : result.gates) {
    if (candidate.name == name) return candidate;
  }
  ADD_FAILURE() << "no gate " << name;
  return {};
}

bool warned(const Result& result, Warning warning) {
  return std::find(result.warnings.begin(), result.warnings.end(), warning) !=
         result.warnings.end();
}

// The names of the gates that did not pass.
std::vector<std::string> not_passed(const Result& result) {
  std::vector<std::string> names;
  for (const Gate& candidate : result.gates) {
    if (candidate.verdict != Verdict::pass) names.push_back(candidate.name);
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(Conclude, good_cell_passes_every_gate) {
  const Result result = conclude(good_observation());
  EXPECT_EQ(not_passed(result), Names());
  EXPECT_EQ(result.gates.size(), 8u);
  // Too few answers for p99.9 is all there is to say.
  EXPECT_EQ(result.warnings, std::vector{Warning::p999_withheld});
}

TEST(Conclude, measurements_are_of_the_window_alone) {
  const Measurements m = conclude(good_observation()).measurements;
  EXPECT_DOUBLE_EQ(*m.duration_s, 10);
  EXPECT_EQ(m.requests, 10'000u);
  EXPECT_EQ(m.bytes, 1'400'000u);
  EXPECT_DOUBLE_EQ(*m.throughput_rps, 1000);
  EXPECT_DOUBLE_EQ(*m.server_cpu_s, 9.8);
  EXPECT_DOUBLE_EQ(*m.server_cpu_share, 0.98);
  EXPECT_DOUBLE_EQ(*m.cpu_us_per_request, 980);
  EXPECT_DOUBLE_EQ(*m.server_user_share, 0.4);
  EXPECT_DOUBLE_EQ(*m.generator_cpu_share, 0.4);
  EXPECT_EQ(m.connections_open, 10u);
  EXPECT_EQ(m.served_connections, 10u);
  EXPECT_DOUBLE_EQ(*m.voluntary_switches_per_request, 2);
  EXPECT_DOUBLE_EQ(*m.involuntary_switches_per_request, 0.1);
  EXPECT_NEAR(*m.foreign_cpu_share, 0, 1e-12);
  EXPECT_DOUBLE_EQ(*m.latency_us_p99, 10'000);
  EXPECT_FALSE(m.latency_us_p999);
}

TEST(Conclude, server_that_answered_nothing_has_no_numbers_per_request) {
  Observation seen = good_observation();
  seen.window_end.counters.requests = seen.window_begin.counters.requests;
  seen.second_census.counters.requests = seen.first_census.counters.requests;
  const Result result = conclude(seen);
  EXPECT_TRUE(warned(result, Warning::server_idle));
  EXPECT_FALSE(result.measurements.cpu_us_per_request);
  EXPECT_FALSE(result.measurements.voluntary_switches_per_request);
  EXPECT_EQ(*result.measurements.throughput_rps, 0);
}

TEST(Conclude, split_that_ticks_are_too_coarse_for_is_withheld) {
  Observation seen = good_observation();
  seen.second_census.census.user_ticks = 300;  // 2.9 s of the 9.8 s are in no tick
  const Result result = conclude(seen);
  EXPECT_FALSE(result.measurements.server_user_share);
  EXPECT_TRUE(warned(result, Warning::user_share_withheld));
}

TEST(Conclude, switches_of_vehicles_that_ended_are_not_guessed) {
  Observation seen = good_observation();
  seen.second_census.census.vehicles = {8};
  EXPECT_TRUE(warned(conclude(seen), Warning::switches_withheld));
  seen = good_observation();
  seen.second_census.census.machine_forks += 10'000;  // one for each request
  EXPECT_TRUE(warned(conclude(seen), Warning::switches_withheld));
  EXPECT_FALSE(conclude(seen).measurements.voluntary_switches_per_request);
}

TEST(Gates, latency_that_does_not_fill_the_run_is_labelled_as_too_short) {
  Observation seen = good_observation();
  seen.report.latency = {{9'000, 20'000}};
  const Gate law = gate(conclude(seen), "littles_law");
  EXPECT_EQ(law.verdict, Verdict::fail);
  EXPECT_EQ(law.effect, Effect::labels);
  EXPECT_NEAR(*law.value, 0.1, 1e-9);
}

TEST(Gates, more_latency_than_there_was_time_invalidates) {
  Observation seen = good_observation();
  seen.report.latency = {{11'000, 20'000}};
  const Gate law = gate(conclude(seen), "littles_law");
  EXPECT_EQ(law.verdict, Verdict::fail);
  EXPECT_EQ(law.effect, Effect::invalidates);
}

TEST(Gates, answers_cut_off_by_the_end_do_not_fail_littles_law) {
  // Latency of 2 s in a run of 20 s: each client's last answer, up to 2 s, is in no latency.
  Observation seen = good_observation();
  seen.report.requests = 95;
  seen.report.latency = {{2'000'000, 95}};
  EXPECT_EQ(gate(conclude(seen), "littles_law").verdict, Verdict::pass);
}

TEST(Gates, both_sides_must_count_the_same_answers) {
  Observation seen = good_observation();
  seen.final_counters.requests += 10;
  EXPECT_EQ(gate(conclude(seen), "completions_agree").verdict, Verdict::pass);
  seen.final_counters.requests += 1;
  EXPECT_EQ(not_passed(conclude(seen)), Names{"completions_agree"});
}

TEST(Gates, short_answers_are_noticed) {
  Observation seen = good_observation();
  seen.report.bytes -= 1401;
  EXPECT_EQ(not_passed(conclude(seen)), Names{"bytes_agree"});
}

TEST(Gates, connect_error_fails) {
  Observation seen = good_observation();
  seen.report.errors_connect = 1;
  EXPECT_EQ(not_passed(conclude(seen)), Names{"no_connect_errors"});
}

TEST(Gates, starved_client_labels_the_cell) {
  Observation seen = good_observation();
  seen.final_counters.served -= 1;
  const Result result = conclude(seen);
  EXPECT_EQ(not_passed(result), Names{"every_client_served"});
  EXPECT_EQ(gate(result, "every_client_served").effect, Effect::labels);
}

TEST(Gates, changed_body_fails) {
  Observation seen = good_observation();
  seen.body_after.content[50] = 'y';
  EXPECT_EQ(not_passed(conclude(seen)), Names{"body_right"});
  seen = good_observation();
  seen.body_after_failure = "no answer";
  EXPECT_EQ(gate(conclude(seen), "body_right").text, "no answer");
}

TEST(Gates, busy_generator_labels_the_cell) {
  Observation seen = good_observation();
  seen.generator_stop.generator_cpu_s = 18;
  EXPECT_EQ(not_passed(conclude(seen)), Names{"server_was_the_limit"});
}

TEST(Gates, foreign_work_and_steal_add_up) {
  Observation seen = good_observation();
  seen.window_end.machine.busy_s += 0.6;
  EXPECT_EQ(not_passed(conclude(seen)), Names());
  seen.window_end.machine.steal_s += 0.5;
  EXPECT_EQ(not_passed(conclude(seen)), Names{"machine_quiet"});
}

TEST(Gates, connection_for_each_request_leaves_two_questions_open) {
  Observation seen = good_observation();
  seen.cell.workload.keepalive = false;
  const Result result = conclude(seen);
  EXPECT_EQ(not_passed(result), (Names{"littles_law", "every_client_served"}));
  for (const auto& name : not_passed(result)) {
    EXPECT_EQ(gate(result, name).verdict, Verdict::unknown);
  }
}

TEST(Gates, shared_cpus_do_not_tell_who_was_the_limit) {
  Observation seen = good_observation();
  seen.generator_shares_cpus = true;
  const Result result = conclude(seen);
  EXPECT_EQ(gate(result, "server_was_the_limit").verdict, Verdict::unknown);
  EXPECT_TRUE(warned(result, Warning::generator_shares_cpus));
}

TEST(Record, undefined_number_is_absent) {
  Result result = conclude(good_observation());
  result.measurements.steal_share = std::numeric_limits<double>::quiet_NaN();
  result.measurements.latency_us_max = std::numeric_limits<double>::infinity();
  const auto json = to_json(result);
  EXPECT_FALSE(json["measurements"].contains("steal_share"));
  EXPECT_FALSE(json["measurements"].contains("latency_us_max"));
  EXPECT_EQ(json.dump().find("null"), std::string::npos);
}

TEST(Record, failed_cell_has_a_reason_and_no_numbers) {
  Result result;
  result.cell = good_observation().cell;
  result.failure = "the server was mute";
  const auto json = to_json(result);
  EXPECT_EQ(json["status"], "failed");
  EXPECT_EQ(json["reason"], "the server was mute");
  EXPECT_TRUE(json["measurements"].empty());
  EXPECT_EQ(json["cell"], "st/process/st/w/c10/k1/b0");
}

TEST(WarningText, every_warning_says_something) {
  for (int i = 0; i <= static_cast<int>(Warning::server_did_not_stop); ++i) {
    EXPECT_FALSE(warning_code(static_cast<Warning>(i)).empty()) << i;
    EXPECT_GT(warning_text(static_cast<Warning>(i)).size(), 40u) << i;
  }
}

}  // namespace
}  // namespace archbench
