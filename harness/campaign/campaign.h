// Runs a plan: every cell that the folder does not hold yet, in the recorded order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/campaign/schedule.h"
#include "harness/campaign/stopping.h"
#include "harness/machine/doctor.h"
#include "harness/os/places.h"
#include "harness/plan/plan.h"
#include "harness/site/site.h"

namespace archbench {

struct CampaignOptions {
  std::string plan;                   // a file or the name of a plan
  std::filesystem::path out;          // empty: an unfinished campaign of this plan, or a new folder
  std::optional<std::uint64_t> seed;  // instead of the plan's
  std::filesystem::path servers;      // folder of the httpd_* binaries; empty: beside archbench
  Stopping stopping;
  bool apply = false;    // kernel settings that the doctor proposes, put back at the end
  bool sampling = true;  // false: only to learn what sampling costs
  std::vector<std::string> command;  // archbench's own command line, for the record
};

// Returns when all cells are there, they are precise enough, or the time is spent. Throws Error or
// Interrupted; the same call then goes on.
void run_campaign(const CampaignOptions& options);

// The schedule for a server's machine with so many CPUs, with a word on stderr about cells it
// cannot run. Throws Error when none is left.
Schedule schedule_for(const Plan& plan, std::uint64_t seed, int cpus);

// What the cells ask of the machine.
Demand demand_of(const Plan& plan, const Schedule& schedule, const Places& places);

// campaign.json for a campaign that would begin now; `doctor` is left to the caller.
nlohmann::ordered_json describe_campaign(const Plan& plan, std::uint64_t seed,
                                         const Schedule& schedule, const Places& places, Site& site,
                                         const CampaignOptions& options);

}  // namespace archbench
