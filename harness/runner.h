// Measures one cell. The order of its steps is the experiment; everything else is behind
// interfaces.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/generator.h"
#include "harness/observation.h"
#include "harness/plan.h"
#include "harness/result.h"
#include "harness/server.h"
#include "harness/system.h"

namespace archbench {

// CPUs of both sides: the server gets the first `cpus`, the generator the rest, or all when none is
// left.
struct Placement {
  std::vector<int> server;
  std::vector<int> generator;
  bool shared = false;
};

Placement place(const std::vector<int>& machine, int cpus);

// Everything a cell needs from outside. The tests give a fake for each.
struct Rig {
  Server& server;
  Generator& generator;
  Clock& clock;
  std::function<Body(const std::string& url, const std::string& path, bool keepalive)> probe;
  std::function<MachineTimes()> machine;
  std::vector<int> cpus;                // of this machine
  std::filesystem::path raw_directory;  // where files about a cell go
};

class Runner {
 public:
  Runner(Rig rig, const Plan& plan) : rig_(std::move(rig)), plan_(plan) {}

  // Start, probe, load, warm up, measure, stop the load, probe again, stop. A failure is a result,
  // too; only Interrupted gets out, with both programs ended. `started_utc` and the parts of
  // `provenance` that do not come from running are left to the caller.
  Result run(const Cell& cell);

 private:
  Observation observe(const Cell& cell, const Placement& placement);
  void wait_for_probe_to_leave();
  void wait_until_connected(Observation& seen, double window_begin);
  void watch_window(Observation& seen);
  Moment moment();
  void check_alive();
  void save_samples(const Observation& seen) const;

  Rig rig_;
  const Plan& plan_;
};

}  // namespace archbench
