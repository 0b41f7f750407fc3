// Measurements, warnings and gates from what was seen.
#include "harness/cell/result.h"

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
  EXPECT_EQ(result.gates.size(), 16u);
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
  EXPECT_NEAR(*m.harness_cpu_share, 0, 1e-12);
  EXPECT_DOUBLE_EQ(*m.ceiling_share, 0.2);
  EXPECT_DOUBLE_EQ(*m.memory_bytes_per_connection, 4000);
  EXPECT_DOUBLE_EQ(*m.syscalls_per_request, 2.1);
  EXPECT_EQ(m.connections_established, 10u);
  EXPECT_EQ(m.retransmits, 2u);
  EXPECT_DOUBLE_EQ(*m.settled_after_s, 0);
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
  seen.report.bytes = *seen.report.bytes - 1401;
  EXPECT_EQ(not_passed(conclude(seen)), Names{"bytes_agree"});
}

TEST(Gates, slow_clients_beside_the_others_have_answers_that_were_read_in_part) {
  Observation seen = good_observation();
  seen.established = 30;
  seen.report.bytes = *seen.report.bytes + 20 * 139;
  EXPECT_EQ(not_passed(conclude(seen)), Names());
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

TEST(Gates, foreign_work_is_what_the_scheduler_charged_and_never_more_than_the_machine) {
  Observation seen = good_observation();
  seen.window_begin.machine.programs_s = 50;
  seen.window_end.machine.programs_s = 50 + 13.8 + 0.4;  // 2 % of 20 s are not ours
  EXPECT_NEAR(*conclude(seen).measurements.foreign_cpu_share, 0.02, 1e-12);
  EXPECT_EQ(not_passed(conclude(seen)), Names());
  seen.window_end.machine.programs_s = 50 + 13.8 + 20.1;
  EXPECT_EQ(*conclude(seen).measurements.foreign_cpu_share, 1);
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

// Each of these happened to a cell that was good otherwise, and exactly one gate must see it.

TEST(SeededFault, client_that_silently_has_no_connection) {
  Observation seen = good_observation();
  seen.established = 9;
  EXPECT_EQ(not_passed(conclude(seen)), Names{"no_connect_errors"});
  EXPECT_EQ(gate(conclude(seen), "no_connect_errors").effect, Effect::invalidates);
}

TEST(SeededFault, generator_thread_that_did_nothing) {
  Observation seen = good_observation();
  seen.generator_threads = 2;
  seen.generator_workers_s = {8, 0.1};
  EXPECT_EQ(not_passed(conclude(seen)), Names{"generator_even"});
}

TEST(SeededFault, one_of_several_generators_that_cannot_keep_up) {
  Observation seen = good_observation();
  seen.generator_elsewhere = true;
  seen.window_end.machine.busy_s = 7 + 9.8;  // the server alone
  EXPECT_EQ(gate(conclude(seen), "generators_keep_up").verdict, Verdict::pass);
  EXPECT_NEAR(*conclude(seen).measurements.foreign_cpu_share, 0, 1e-12);
  seen.generator_workers_s = {1, 19};
  const Gate failed = gate(conclude(seen), "generators_keep_up");
  EXPECT_EQ(failed.verdict, Verdict::fail);
  EXPECT_EQ(failed.effect, Effect::invalidates);
}

TEST(SeededFault, generator_thread_at_its_end_behind_a_harmless_mean) {
  Observation seen = good_observation();
  seen.generator_threads = 2;
  seen.generator_workers_s = {19, 3};
  EXPECT_EQ(not_passed(conclude(seen)), Names{"server_was_the_limit"});
}

TEST(SeededFault, window_or_load_that_was_cut_short) {
  Observation seen = good_observation();
  seen.planned_seconds = 11;
  EXPECT_EQ(not_passed(conclude(seen)), Names{"run_complete"});
  seen = good_observation();
  seen.report.duration_s = 9;  // and half as many answers, so that the rate stays
  seen.report.requests = 9000;
  seen.report.bytes = 1'260'000;
  seen.report.latency = {{10'000, 9000}};
  seen.final_counters.requests = 9001;
  EXPECT_EQ(not_passed(conclude(seen)), Names{"run_complete"});
}

TEST(SeededFault, program_that_is_not_the_one_it_is_called) {
  Observation seen = good_observation();
  seen.program_sha256[0] = 'b';
  EXPECT_EQ(not_passed(conclude(seen)), Names{"right_binary"});
}

TEST(SeededFault, wall_clock_that_was_set) {
  Observation seen = good_observation();
  seen.generator_stop.kernel.clock_offset_s -= 0.5;
  EXPECT_EQ(not_passed(conclude(seen)), Names{"clock_steady"});
  seen.generator_stop.kernel.clock_offset_s += 0.49;  // within what steering may do in 10 s
  EXPECT_EQ(not_passed(conclude(seen)), Names());
}

TEST(SeededFault, cpu_time_that_a_limit_or_heat_kept_away) {
  Observation seen = good_observation();
  seen.generator_stop.kernel.throttled_s = 0.7;
  EXPECT_EQ(not_passed(conclude(seen)), Names{"not_throttled"});
  seen = good_observation();
  seen.generator_stop.kernel.hot_events = 4;
  EXPECT_EQ(not_passed(conclude(seen)), Names{"not_throttled"});
}

TEST(SeededFault, connections_dropped_on_their_way_in) {
  Observation seen = good_observation();
  seen.generator_stop.kernel.listen_drops = 8;
  const Result result = conclude(seen);
  EXPECT_EQ(not_passed(result), Names{"no_dropped_connections"});
  EXPECT_EQ(*gate(result, "no_dropped_connections").value, 3);
}

TEST(SeededFault, rate_that_shifts_inside_the_window) {
  Observation seen = good_observation();
  for (std::size_t i = 100; i < seen.samples.size(); ++i) {
    seen.samples[i].requests = seen.samples[99].requests + 80 * (i - 99);
  }
  const Gate steady = gate(conclude(seen), "steady_state");
  EXPECT_EQ(steady.verdict, Verdict::fail);
  EXPECT_NE(steady.text.find("-20.0 %"), std::string::npos) << steady.text;
}

TEST(Gates, throughput_near_the_ceiling_labels_the_cell) {
  Observation seen = good_observation();
  seen.ceiling_rps = 1400;  // 1,000 requests/s are 71 % of it
  EXPECT_EQ(not_passed(conclude(seen)), Names{"below_ceiling"});
  seen.ceiling_rps.reset();
  EXPECT_EQ(gate(conclude(seen), "below_ceiling").verdict, Verdict::unknown);
}

TEST(Gates, what_a_kernel_does_not_count_is_unknown_and_said_to_be_absent) {
  Observation seen = good_observation();
  seen.kernel_before = {};
  seen.generator_stop.kernel = {};
  const Result result = conclude(seen);
  EXPECT_EQ(not_passed(result), (Names{"no_dropped_connections", "not_throttled"}));
  EXPECT_TRUE(result.absent.contains("listen_drops"));
  EXPECT_TRUE(result.absent.contains("throttled_s"));
  EXPECT_FALSE(result.measurements.throttled_s);
}

TEST(Gates, mix_is_held_to_the_servers_own_count_of_bytes) {
  Observation seen = good_observation();
  seen.cell.workload.mix = {{"/a", 1}, {"/b", 1}};
  EXPECT_EQ(not_passed(conclude(seen)), Names());
  seen.report.bytes = *seen.report.bytes + (11u << 20);
  EXPECT_EQ(not_passed(conclude(seen)), Names{"bytes_agree"});
}

TEST(Conclude, server_without_counters_is_measured_over_the_generators_whole_run) {
  Observation seen = good_observation();
  seen.server_counts = false;
  seen.generator_start.server_cpu_s = 0;
  seen.generator_stop.server_cpu_s = 19;
  const Result result = conclude(seen);
  EXPECT_DOUBLE_EQ(*result.measurements.duration_s, 20);
  EXPECT_EQ(result.measurements.requests, 20'000u);
  EXPECT_DOUBLE_EQ(*result.measurements.cpu_us_per_request, 950);
  EXPECT_FALSE(result.measurements.connections_open);
  for (const char* name : {"completions_agree", "every_client_served", "steady_state"}) {
    EXPECT_EQ(gate(result, name).verdict, Verdict::unknown) << name;
  }
}

TEST(Conclude, generator_without_a_histogram_says_what_it_knows) {
  Observation seen = good_observation();
  seen.report.latency.clear();
  seen.report.latencies.mean_us = 10'000;
  seen.report.latencies.max_us = 20'000;
  seen.report.absent["latency_us_p50"] = "it keeps none";
  const Result result = conclude(seen);
  EXPECT_EQ(not_passed(result), Names());
  EXPECT_FALSE(result.measurements.latency_us_p50);
  EXPECT_DOUBLE_EQ(*result.measurements.latency_us_max, 20'000);
  EXPECT_EQ(result.absent.at("latency_us_p50"), "it keeps none");
}

TEST(Record, samples_count_from_the_windows_beginning_and_the_first_answer) {
  const auto json = to_json(conclude(good_observation()));
  EXPECT_EQ(json["samples"]["time_s"].size(), json["samples"]["requests"].size());
  EXPECT_DOUBLE_EQ(json["samples"]["time_s"][0].get<double>(), -5);
  EXPECT_EQ(json["samples"]["requests"][1], 100);
  EXPECT_FALSE(json.contains("twin_of"));
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
  EXPECT_EQ(json.dump().find(":null"), std::string::npos);
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
