// What was seen while a cell ran: facts with their times, nothing concluded yet.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/generators/generator.h"
#include "harness/machine/machine.h"
#include "harness/os/process_tree.h"
#include "harness/plan/cell.h"
#include "harness/servers/counters.h"
#include "harness/servers/probe.h"

namespace archbench {

// One moment. All CPU times count from the start of the program in question.
struct Moment {
  double time_s = 0;  // monotonic
  CounterTotals counters;
  double server_cpu_s = 0;
  double generator_cpu_s = 0;
  double own_cpu_s = 0;  // of archbench
  MachineTimes machine;
  KernelCounts kernel;
};

// Between the two censuses lies the window and a little more; both are taken outside of it, because
// they cost too much to be inside.
struct CensusMoment {
  Census census;
  CounterTotals counters;
};

struct CounterSample {
  double time_s = 0;  // monotonic
  std::uint64_t requests = 0;
};

// System calls of the server while they were counted, and the answers it gave meanwhile.
struct SyscallSample {
  std::uint64_t calls = 0;
  std::uint64_t requests = 0;
};

struct Observation {
  Cell cell;

  double planned_seconds = 0;  // of the window
  int generator_threads = 0;
  bool generator_shares_cpus = false;
  bool generator_elsewhere = false;   // on other machines than the server
  bool server_counts = true;          // else every CounterTotals here is empty
  std::optional<double> ceiling_rps;  // of the null responder under the same load
  std::string expected_sha256;        // of the server's program when the campaign began
  std::string program_sha256;         // of the one that was started

  Body body_before;
  Census idle_census;          // before any client
  CounterTotals baseline;      // after the first probe, before the generator
  KernelCounts kernel_before;  // just before the generator was started
  Moment generator_start;      // just after it was started
  bool all_connected = false;  // every client was, when the window began
  CensusMoment first_census;
  Moment window_begin;
  std::vector<CounterSample> samples;  // from the generator's start to the end of the window
  Moment window_end;
  std::optional<std::uint64_t> established;  // connections in the kernel, at the end of the window
  CensusMoment second_census;
  std::optional<SyscallSample> syscalls;
  std::vector<double> generator_workers_s;  // CPU time of each of its threads, just before its end
  Moment generator_stop;                    // just before it was asked to end
  GeneratorReport report;
  CounterTotals final_counters;  // after the generator has ended, before the second probe
  Body body_after;
  std::string body_after_failure;             // why there is no body_after
  bool server_stopped = true;                 // by itself, when asked
  std::map<std::string, std::string> absent;  // measurement -> why this machine does not give it
};

}  // namespace archbench
