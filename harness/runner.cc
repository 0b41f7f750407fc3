#include "harness/runner.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/error.h"

namespace archbench {
namespace {

// Fine enough to see a shift inside the window, coarse enough to cost nothing (adding up 4,096
// counter slots takes some 30 us).
constexpr double kSampleEvery = 0.1;

// Beyond the warm-up, how long to wait for clients that have not been accepted. A server that has
// not done it by then has a pool that is too small and never will.
constexpr double kConnectPatience = 2;

constexpr double kPollEvery = 0.005;  // while waiting for a condition, seconds

double own_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

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

Result Runner::run(const Cell& cell) {
  const Placement placement = place(rig_.cpus, cell.cpus);
  Result result;
  try {
    result = conclude(observe(cell, placement));
  } catch (const CellFailed& failure) {
    result.cell = cell;
    result.failure = failure.what();
  } catch (...) {
    rig_.generator.abandon();
    rig_.server.abandon();
    throw;
  }
  // The commands are known even when the cell failed: that is when somebody wants to try them.
  Provenance& from = result.provenance;
  from.server_command = rig_.server.command();
  from.generator_command = rig_.generator.command();
  from.server_cpu_list = cpu_list(placement.server);
  from.generator_cpu_list = cpu_list(placement.generator);
  append_raw(from.raw, rig_.generator.collect_raw_files());
  append_raw(from.raw, rig_.server.collect_raw_files());
  if (result.failure.empty()) append_raw(from.raw, {cell.file_stem() + ".samples.json"});
  rig_.generator.abandon();
  rig_.server.abandon();
  return result;
}

Observation Runner::observe(const Cell& cell, const Placement& placement) {
  const Workload& workload = cell.workload;
  Observation seen;
  seen.cell = cell;
  seen.generator_shares_cpus = placement.shared;

  const std::string url = rig_.server.start(cell, {.cpus = placement.server,
                                                   .raw_directory = rig_.raw_directory,
                                                   .file_stem = cell.file_stem()});
  seen.body_before = rig_.probe(url, workload.path, workload.keepalive);
  if (const auto wrong = body_complaint(seen.body_before, workload.path); !wrong.empty()) {
    throw CellFailed("wrong answer before the load: " + wrong);
  }
  wait_for_probe_to_leave();
  seen.baseline = rig_.server.counters();

  // It is ended by finish(); its own time limit only has to be longer than everything until then,
  // censuses of thousands of processes on a slow machine included.
  const double longest = plan_.warmup_seconds + kConnectPatience + plan_.seconds + 30;
  rig_.generator.start({.url = url,
                        .path = workload.path,
                        .clients = cell.clients,
                        .keepalive = workload.keepalive,
                        .longest_s = longest,
                        .cpus = placement.generator,
                        .raw_directory = rig_.raw_directory,
                        .file_stem = cell.file_stem()});
  seen.generator_threads = rig_.generator.threads();
  seen.generator_start = moment();
  wait_until_connected(seen, seen.generator_start.time_s + plan_.warmup_seconds);
  seen.first_census = {rig_.server.census(), rig_.server.counters()};
  watch_window(seen);
  seen.second_census = {rig_.server.census(), rig_.server.counters()};
  seen.generator_stop = moment();
  seen.report = rig_.generator.finish();
  seen.final_counters = rig_.server.counters();

  try {
    seen.body_after = rig_.probe(url, workload.path, workload.keepalive);
  } catch (const CellFailed& failure) {
    seen.body_after_failure = failure.what();
  }
  seen.server_stopped = rig_.server.stop();
  save_samples(seen);
  return seen;
}

// The probe's own request must be in the baseline, and its connection must not be taken for a
// client's. It has hung up, so that the server notices within microseconds.
void Runner::wait_for_probe_to_leave() {
  constexpr double kPatience = 1;
  const double deadline = rig_.clock.now() + kPatience;
  for (;;) {
    const CounterTotals counters = rig_.server.counters();
    if (counters.closed >= counters.connections || rig_.clock.now() >= deadline) return;
    rig_.clock.sleep_until(rig_.clock.now() + kPollEvery);
  }
}

void Runner::wait_until_connected(Observation& seen, double window_begin) {
  const double deadline = window_begin + kConnectPatience;
  const auto clients = static_cast<std::uint64_t>(seen.cell.clients);
  for (;;) {
    // wrk looks once before it begins: that connection is closed when the clients come, and is only
    // in the way of connections that are counted but never closed.
    const CounterTotals now = rig_.server.counters();
    seen.all_connected = seen.cell.workload.keepalive
                             ? now.connections - now.closed >= clients
                             : now.connections - seen.baseline.connections >= clients;
    const double time = rig_.clock.now();
    if (time >= deadline || (seen.all_connected && time >= window_begin)) return;
    check_alive();
    const double next = seen.all_connected ? window_begin : time + kPollEvery;
    rig_.clock.sleep_until(std::min(next, deadline));
  }
}

void Runner::watch_window(Observation& seen) {
  seen.window_begin = moment();
  seen.samples = {seen.window_begin};
  const double begin = seen.window_begin.time_s;
  const double end = begin + plan_.seconds;
  for (int step = 1;; ++step) {
    // Absolute times: a late sample does not delay the ones after it.
    const double next = begin + kSampleEvery * step;
    if (next >= end - kSampleEvery / 2) break;
    rig_.clock.sleep_until(next);
    check_alive();
    Moment sample;  // without the CPU times, whose cost grows with the number of processes
    sample.time_s = rig_.clock.now();
    sample.counters = rig_.server.counters();
    sample.generator_cpu_s = rig_.generator.cpu_s();
    sample.machine = rig_.machine();
    seen.samples.push_back(sample);
  }
  rig_.clock.sleep_until(end);
  check_alive();
  seen.window_end = moment();
  seen.samples.push_back(seen.window_end);
}

Moment Runner::moment() {
  Moment moment;
  // Counters and time next to each other: the throughput is their quotient.
  moment.counters = rig_.server.counters();
  moment.time_s = rig_.clock.now();
  moment.server_cpu_s = rig_.server.cpu_s();
  moment.generator_cpu_s = rig_.generator.cpu_s();
  moment.own_cpu_s = own_cpu_seconds();
  moment.machine = rig_.machine();
  return moment;
}

void Runner::check_alive() {
  if (!rig_.server.running()) throw CellFailed("the server ended under load");
  if (!rig_.generator.running()) {
    rig_.generator.finish();  // says more when it failed
    throw CellFailed("the generator ended before the window did");
  }
}

void Runner::save_samples(const Observation& seen) const {
  nlohmann::ordered_json json{{"schema", "archbench.samples/1"}, {"cell", seen.cell.id()}};
  const double zero = seen.generator_start.time_s;  // seconds since the generator was started
  for (const char* name :
       {"time_s", "requests", "bytes", "connections", "served", "closed", "errors", "refused",
        "generator_cpu_s", "machine_busy_s", "machine_steal_s"}) {
    json[name] = nlohmann::ordered_json::array();
  }
  for (const Moment& sample : seen.samples) {
    json["time_s"].push_back(sample.time_s - zero);
    json["requests"].push_back(sample.counters.requests);
    json["bytes"].push_back(sample.counters.bytes);
    json["connections"].push_back(sample.counters.connections);
    json["served"].push_back(sample.counters.served);
    json["closed"].push_back(sample.counters.closed);
    json["errors"].push_back(sample.counters.errors);
    json["refused"].push_back(sample.counters.refused);
    json["generator_cpu_s"].push_back(sample.generator_cpu_s);
    json["machine_busy_s"].push_back(sample.machine.busy_s);
    json["machine_steal_s"].push_back(sample.machine.steal_s);
  }
  std::ofstream file(rig_.raw_directory / (seen.cell.file_stem() + ".samples.json"));
  file << json.dump() << "\n";
  if (!file.flush()) throw Error("writing samples of " + seen.cell.id() + " failed: disk full?");
}

}  // namespace archbench
