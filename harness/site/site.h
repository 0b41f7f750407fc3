// Where the programs of a campaign run. There are two answers: this machine (site_here.cc), and
// hosts reached by ssh (site_ssh.cc). Nobody else knows which of them it is.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "harness/cell/runner.h"
#include "harness/machine/doctor.h"
#include "harness/os/places.h"
#include "harness/plan/plan.h"

namespace archbench {

class Site {
 public:
  virtual ~Site() = default;

  // CPUs that a server can be given.
  virtual int cpus() = 0;

  // Adds to campaign.json what the programs run on: `environment`, of several machines `hosts`.
  virtual void describe(nlohmann::ordered_json& campaign) = 0;

  virtual std::vector<Finding> examine(const Demand& demand) = 0;

  // What the runner needs. `campaign` is the campaign's folder. Refers to this object.
  virtual Rig rig(const std::filesystem::path& campaign) = 0;

  // The last thing before a cell; returns the URL behind /proxy/, empty where none is needed.
  // Throws CellFailed.
  virtual std::string settle(const Cell& cell) = 0;
};

// The one that the plan asks for. Throws Error when its hosts cannot be found or reached.
std::unique_ptr<Site> make_site(const Plan& plan, const Places& places);

std::unique_ptr<Site> site_here(const Plan& plan, const Places& places);
std::unique_ptr<Site> site_ssh(const Plan& plan, const Places& places);

}  // namespace archbench
