// Test helper: a cell that went as it should, to be spoiled in one way by each test.
#pragma once

#include "harness/cell/observation.h"

namespace archbench {

// 10 clients, 1 CPU, 1,000 requests/s for 20 s of which the window is 10 s, 10 ms latency each.
inline Observation good_observation() {
  Observation seen;
  seen.cell = {{"st", "process", "st", {}}, {"w", "/bytes/100", true}, 10, 1, 0, 0};
  seen.planned_seconds = 10;
  seen.generator_threads = 1;
  seen.ceiling_rps = 5000;
  seen.expected_sha256 = seen.program_sha256 = std::string(64, 'a');
  seen.all_connected = true;
  seen.body_before = {200, 40, std::string(100, 'x')};
  seen.body_after = seen.body_before;
  seen.baseline = {1, 1, 1, 1, 140, 0, 0};
  seen.generator_start.time_s = 100;

  seen.window_begin.time_s = 105;
  seen.window_begin.counters = {5001, 12, 11, 2, 700'140, 0, 0};
  seen.window_begin.server_cpu_s = 5;
  seen.window_begin.generator_cpu_s = 2;
  seen.window_begin.machine = {7, 0, 200};
  seen.window_end.time_s = 115;
  seen.window_end.counters = {15'001, 12, 11, 2, 2'100'140, 0, 0};
  seen.window_end.server_cpu_s = 14.8;
  seen.window_end.generator_cpu_s = 6;
  seen.window_end.machine = {20.8, 0, 220};  // 13.8 s busy, all of it known

  for (int i = 0; i <= 150; ++i) {  // a sample each 100 ms, 5 s of warm-up among them
    seen.samples.push_back({100 + 0.1 * i, 1 + 100 * static_cast<std::uint64_t>(i)});
  }
  seen.established = 10;
  seen.first_census.counters = seen.window_begin.counters;
  seen.second_census.counters = seen.window_end.counters;
  seen.first_census.census = {1, 1, 1 << 20, 200, 300, 5, 1000, 100, {7}, 50};
  seen.second_census.census = {1, 1, 2 << 20, 592, 888, 14.8, 21'000, 1100, {7}, 51, 1'040'000};
  seen.idle_census.pss_bytes = 1'000'000;
  seen.syscalls = {420, 200};

  seen.generator_stop.time_s = 120;
  seen.generator_stop.generator_cpu_s = 8;
  seen.generator_workers_s = {8};
  seen.kernel_before = {5, 5, 7, 0.5, 3, 1000};
  seen.generator_stop.kernel = {5, 5, 9, 0.5, 3, 1000};
  seen.report.requests = 20'000;
  seen.report.bytes = 2'800'000;
  seen.report.duration_s = 20;
  seen.report.latency = {{10'000, 20'000}};
  seen.final_counters = {20'001, 12, 11, 12, 2'800'140, 0, 0};
  return seen;
}

}  // namespace archbench
