// Measures one cell. The order of its steps is the experiment; everything else is behind
// interfaces.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/cell/observation.h"
#include "harness/cell/result.h"
#include "harness/generators/generator.h"
#include "harness/os/system.h"
#include "harness/plan/plan.h"
#include "harness/servers/server.h"
#include "harness/servers/syscalls.h"

namespace archbench {

// CPUs of both sides: the server gets the first `cpus`, the generator the rest, or all when none is
// left.
struct Placement {
  std::vector<int> server;
  std::vector<int> generator;
  bool shared = false;
  bool elsewhere = false;  // the generator is on other machines, on all their CPUs
};

Placement place(const std::vector<int>& machine, int cpus);

// Everything a cell needs from outside. The tests give a fake for each.
struct Rig {
  Server& server;
  std::function<Generator&(const std::string& name)> generator;
  Clock& clock;
  std::function<Body(const std::string& url, const std::string& path, bool keepalive)> probe;
  std::function<MachineTimes()> machine;
  std::function<KernelCounts()> kernel;
  std::function<std::optional<std::uint64_t>(const std::string& url)> established;
  std::function<std::unique_ptr<SyscallCount>(const std::vector<pid_t>&, std::string& why)>
      syscalls;
  std::function<double()> own_cpu_s;  // CPU time of archbench, beside the server
  std::function<Placement(const Cell&)> place;
  std::filesystem::path raw_directory;  // where files about a cell go
  std::filesystem::path files;          // the plan's files; empty: there are none
  bool sampling = true;                 // false: only to learn what sampling costs
};

// What the campaign knows about a cell before it is run.
struct Known {
  std::optional<double> ceiling_rps;
  std::string expected_sha256;
  std::string origin;  // URL; empty: the workload needs none
};

class Runner {
 public:
  Runner(Rig rig, const Plan& plan) : rig_(std::move(rig)), plan_(plan) {}

  // Start, probe, load, warm up, measure, stop the load, probe again, stop. A failure is a result,
  // too; only Interrupted gets out, with both programs ended. `started_utc` and the parts of
  // `provenance` that do not come from running are left to the caller.
  Result run(const Cell& cell, const Known& known);

 private:
  Observation observe(const Cell& cell, const Known& known, const Placement& placement);
  void start_server(Observation& seen, const Known& known, const Placement& placement);
  void wait_for_probe_to_leave();
  void start_load(Observation& seen, const Placement& placement);
  void wait_until_connected(Observation& seen, double window_begin);
  bool connected(const Observation& seen);
  void sample_until(Observation& seen, double time);
  void count_syscalls(Observation& seen);
  Moment moment();
  // What the server has counted so far; absent: it does not count. Less than before fails the cell.
  std::optional<CounterTotals> counters();
  void check_alive();

  Rig rig_;
  const Plan& plan_;
  Generator* generator_ = nullptr;  // of the cell under way
  std::string url_;                 // of its server
  CounterTotals counted_;           // by it, when last looked at
};

}  // namespace archbench
