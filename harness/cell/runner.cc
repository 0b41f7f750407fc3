#include "harness/cell/runner.h"

#include <algorithm>

#include "harness/error.h"

namespace archbench {
namespace {

// Fine enough to see a shift inside a long window; a short one is cut into as many steps as MSER-5
// needs to judge it, but not into finer ones than the counters of 4,096 processes can be added up
// in (some 30 us).
constexpr double kSampleEvery = 0.1, kFinestSample = 0.02;
constexpr double kSamplesPerWindow = 50;

// Beyond the warm-up, how long to wait for clients that have not been accepted. A server that has
// not done it by then has a pool that is too small and never will.
constexpr double kConnectPatience = 2;

// How long system calls are counted: thousands of requests even of a slow server.
constexpr double kSyscallSeconds = 0.2;

constexpr double kPollEvery = 0.005;  // while waiting for a condition, seconds

// Names inside raw/, as the record gives them: relative to the campaign.
void append_raw(std::vector<std::string>& to, const std::vector<std::string>& names) {
  for (const std::string& name : names) to.push_back("raw/" + name);
}

}  // namespace

Placement place(const std::vector<int>& machine, int cpus) {
  const auto server_end = machine.begin() + std::min<std::ptrdiff_t>(cpus, std::ssize(machine));
  Placement placement;
  placement.server.assign(machine.begin(), server_end);
  placement.generator.assign(server_end, machine.end());
  placement.shared = placement.generator.empty();
  if (placement.shared) placement.generator = machine;
  return placement;
}

Result Runner::run(const Cell& cell, const Known& known) {
  const Placement placement = rig_.place(cell);
  generator_ = &rig_.generator(cell.workload.generator);
  Result result;
  try {
    result = conclude(observe(cell, known, placement));
  } catch (const CellFailed& failure) {
    result.cell = cell;
    result.failure = failure.what();
  } catch (...) {
    generator_->abandon();
    rig_.server.abandon();
    throw;
  }
  // The commands are known even when the cell failed: that is when somebody wants to try them.
  Provenance& from = result.provenance;
  from.server_command = rig_.server.command();
  from.generator_command = generator_->command();
  from.server_cpu_list = cpu_list(placement.server);
  from.generator_cpu_list = cpu_list(placement.generator);
  from.server_binary_sha256 = rig_.server.program_sha256();
  append_raw(from.raw, generator_->collect_raw_files());
  append_raw(from.raw, rig_.server.collect_raw_files());
  generator_->abandon();
  rig_.server.abandon();
  return result;
}

// The protocol. What is measured lies between window_begin and window_end; everything that costs
// more than a look at a mapping is outside.
Observation Runner::observe(const Cell& cell, const Known& known, const Placement& placement) {
  Observation seen;
  seen.cell = cell;
  seen.planned_seconds = plan_.seconds;
  start_server(seen, known, placement);
  start_load(seen, placement);
  wait_until_connected(seen, seen.generator_start.time_s + plan_.warmup_seconds);
  seen.first_census = {rig_.server.census(), counters().value_or(CounterTotals{})};
  seen.window_begin = moment();
  sample_until(seen, seen.window_begin.time_s + plan_.seconds);
  seen.window_end = moment();
  seen.established = rig_.established(url_);
  seen.second_census = {rig_.server.census(), counters().value_or(CounterTotals{})};
  count_syscalls(seen);
  seen.generator_workers_s = generator_->worker_cpu_s();
  seen.generator_stop = moment();
  seen.report = generator_->finish();
  seen.final_counters = counters().value_or(CounterTotals{});

  const Workload& workload = cell.workload;
  try {
    seen.body_after = rig_.probe(url_, workload.path, workload.keepalive);
  } catch (const CellFailed& failure) {
    seen.body_after_failure = failure.what();
  }
  seen.server_stopped = rig_.server.stop();
  return seen;
}

void Runner::start_server(Observation& seen, const Known& known, const Placement& placement) {
  const Workload& workload = seen.cell.workload;
  seen.generator_shares_cpus = placement.shared;
  seen.generator_elsewhere = placement.elsewhere;
  seen.ceiling_rps = known.ceiling_rps;
  seen.expected_sha256 = known.expected_sha256;
  url_ = rig_.server.start(seen.cell, {.cpus = placement.server,
                                       .raw_directory = rig_.raw_directory,
                                       .file_stem = seen.cell.file_stem(),
                                       .files = rig_.files,
                                       .origin = known.origin});
  counted_ = {};
  seen.program_sha256 = rig_.server.program_sha256();
  seen.server_counts = counters().has_value();
  if (!seen.server_counts) {
    seen.absent["requests"] = "this server has no counters: answers are those of the generator";
  }
  seen.body_before = rig_.probe(url_, workload.path, workload.keepalive);
  if (const auto wrong = body_complaint(seen.body_before, workload.path); !wrong.empty()) {
    throw CellFailed("wrong answer before the load: " + wrong);
  }
  wait_for_probe_to_leave();
  seen.idle_census = rig_.server.census();
  seen.baseline = counters().value_or(CounterTotals{});
}

// The probe's own request must be in the baseline, and its connection must not be taken for a
// client's. It has hung up, so that the server notices within microseconds.
void Runner::wait_for_probe_to_leave() {
  constexpr double kPatience = 1;
  const double deadline = rig_.clock.now() + kPatience;
  for (;;) {
    const auto now = counters();
    if (!now || now->closed >= now->connections) return;
    if (rig_.clock.now() >= deadline) return;
    rig_.clock.sleep_until(rig_.clock.now() + kPollEvery);
  }
}

void Runner::start_load(Observation& seen, const Placement& placement) {
  // What a generator is needed for that cannot be ended from outside; the others are ended, and
  // their own limit only has to be longer than censuses of thousands of processes take.
  const double least = plan_.warmup_seconds + kConnectPatience + plan_.seconds + 1;
  seen.kernel_before = rig_.kernel();
  generator_->start({.url = url_,
                     .workload = seen.cell.workload,
                     .clients = seen.cell.clients,
                     .warmup_s = plan_.warmup_seconds,
                     .window_s = plan_.seconds,
                     .least_s = least,
                     .longest_s = least + 30,
                     .cpus = placement.generator,
                     .raw_directory = rig_.raw_directory,
                     .file_stem = seen.cell.file_stem()});
  seen.generator_threads = generator_->threads();
  seen.generator_start = moment();
}

bool Runner::connected(const Observation& seen) {
  const auto clients = static_cast<std::uint64_t>(seen.cell.clients);
  const auto now = counters();
  if (!now) {
    // A connection that lives for one request may never be seen; then the warm-up has to do.
    return !seen.cell.workload.keepalive || rig_.established(url_).value_or(clients) >= clients;
  }
  // A generator may look once before it begins: that connection is closed when the clients come,
  // and is only in the way of connections that are counted but never closed.
  return seen.cell.workload.keepalive ? now->connections - now->closed >= clients
                                      : now->connections - seen.baseline.connections >= clients;
}

void Runner::wait_until_connected(Observation& seen, double window_begin) {
  const double deadline = window_begin + kConnectPatience;
  sample_until(seen, window_begin);
  while (!(seen.all_connected = connected(seen)) && rig_.clock.now() < deadline) {
    sample_until(seen, std::min(rig_.clock.now() + kSampleEvery, deadline));
  }
}

// Adds a sample at every step until `time`, and one then.
void Runner::sample_until(Observation& seen, double time) {
  const double every = std::clamp(plan_.seconds / kSamplesPerWindow, kFinestSample, kSampleEvery);
  const double begin = rig_.clock.now();
  for (int step = 1;; ++step) {
    // Absolute times: a late sample does not delay the ones after it.
    const double next = begin + every * step;
    const bool last = next >= time - every / 2;
    if (rig_.sampling || last) {
      rig_.clock.sleep_until(last ? time : next);
      check_alive();
      const auto now = counters();
      if (now) seen.samples.push_back({rig_.clock.now(), now->requests});
    }
    if (last) return;
  }
}

void Runner::count_syscalls(Observation& seen) {
  const char* name = "syscalls_per_request";
  if (!seen.server_counts) {
    seen.absent[name] = "this server has no counters to divide by";
    return;
  }
  if (seen.cell.block > 0) return;  // results/README.md: in the first block alone
  std::string why;
  const auto count = rig_.syscalls(seen.second_census.census.vehicles, why);
  if (!count) {
    seen.absent[name] = why;
    return;
  }
  const std::uint64_t calls = count->read();
  const std::uint64_t requests = counters()->requests;
  rig_.clock.sleep_until(rig_.clock.now() + kSyscallSeconds);
  check_alive();
  seen.syscalls = {count->read() - calls, counters()->requests - requests};
}

Moment Runner::moment() {
  Moment moment;
  // Counters and time next to each other: the throughput is their quotient.
  moment.counters = counters().value_or(CounterTotals{});
  moment.time_s = rig_.clock.now();
  moment.server_cpu_s = rig_.server.cpu_s();
  moment.generator_cpu_s = generator_->cpu_s();
  moment.own_cpu_s = rig_.own_cpu_s();
  moment.machine = rig_.machine();
  moment.kernel = rig_.kernel();
  return moment;
}

std::optional<CounterTotals> Runner::counters() {
  const auto now = rig_.server.counters();
  if (!now) return std::nullopt;
  // No difference between two readings would mean anything.
  if (now->requests < counted_.requests || now->bytes < counted_.bytes) {
    throw CellFailed("the server's counters went back, from " + std::to_string(counted_.requests) +
                     " requests and " + std::to_string(counted_.bytes) + " bytes to " +
                     std::to_string(now->requests) + " and " + std::to_string(now->bytes) +
                     "; expected that they only grow");
  }
  return counted_ = *now;
}

void Runner::check_alive() {
  if (!rig_.server.running()) throw CellFailed("the server ended under load");
  if (!generator_->running()) {
    generator_->finish();  // says more when it failed
    throw CellFailed("the generator ended before the window did");
  }
}

}  // namespace archbench
