// What was seen while a cell ran: facts with their times, nothing concluded yet.
#pragma once

#include <string>
#include <vector>

#include "harness/cell.h"
#include "harness/counters.h"
#include "harness/generator.h"
#include "harness/machine.h"
#include "harness/probe.h"
#include "harness/process_tree.h"

namespace archbench {

// One moment. All CPU times count from the start of the program in question.
struct Moment {
  double time_s = 0;  // monotonic
  CounterTotals counters;
  double server_cpu_s = 0;
  double generator_cpu_s = 0;
  double own_cpu_s = 0;  // of archbench
  MachineTimes machine;
};

// Between the two censuses lies the window and a little more; both are taken outside of it, because
// they cost too much to be inside.
struct CensusMoment {
  Census census;
  CounterTotals counters;
};

struct Observation {
  Cell cell;

  int generator_threads = 0;
  bool generator_shares_cpus = false;

  Body body_before;
  CounterTotals baseline;      // after the first probe, before the generator
  Moment generator_start;      // just after it was started
  bool all_connected = false;  // every client was, when the window began
  CensusMoment first_census;
  Moment window_begin;
  std::vector<Moment> samples;  // the window in steps of 100 ms: its beginning, ..., its end
  Moment window_end;
  CensusMoment second_census;
  Moment generator_stop;  // just before it was asked to end
  GeneratorReport report;
  CounterTotals final_counters;  // after the generator has ended, before the second probe
  Body body_after;
  std::string body_after_failure;  // why there is no body_after
  bool server_stopped = true;      // by itself, when asked
};

}  // namespace archbench
