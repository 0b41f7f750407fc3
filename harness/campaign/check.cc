#include "harness/campaign/check.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "harness/campaign/schedule.h"
#include "harness/campaign/stopping.h"
#include "harness/campaign/store.h"
#include "harness/os/subprocess.h"
#include "harness/plan/plan.h"

namespace archbench {
namespace {

using nlohmann::json;

// Fields of every cell and the kind of value they hold.
const std::map<std::string, json::value_t> kFields{{"schema", json::value_t::string},
                                                   {"cell", json::value_t::string},
                                                   {"architecture", json::value_t::string},
                                                   {"model", json::value_t::string},
                                                   {"label", json::value_t::string},
                                                   {"workload", json::value_t::string},
                                                   {"clients", json::value_t::number_unsigned},
                                                   {"cpus", json::value_t::number_unsigned},
                                                   {"block", json::value_t::number_unsigned},
                                                   {"order", json::value_t::number_unsigned},
                                                   {"status", json::value_t::string},
                                                   {"started_utc", json::value_t::string},
                                                   {"measurements", json::value_t::object},
                                                   {"gates", json::value_t::array},
                                                   {"warnings", json::value_t::array},
                                                   {"provenance", json::value_t::object}};

std::vector<std::string> check_cell(const json& cell) {
  std::vector<std::string> complaints;
  for (const auto& [name, type] : kFields) {
    if (!cell.contains(name)) {
      complaints.push_back("the field \"" + name + "\" is missing");
    } else if (cell[name].type() != type) {
      complaints.push_back("the field \"" + name + "\" has the wrong type: " + cell[name].dump());
    }
  }
  if (!complaints.empty()) return complaints;
  if (cell["status"] == "failed") {
    if (!cell.contains("reason")) complaints.push_back("it failed without a reason");
    return complaints;
  }
  if (cell["status"] != "ok") complaints.push_back("unknown status " + cell["status"].dump());
  for (const char* name : {"duration_s", "requests", "throughput_rps"}) {
    if (!cell["measurements"].contains(name)) {
      complaints.push_back(std::string("the measurement \"") + name + "\" is missing");
    }
  }
  for (const auto& [name, value] : cell["measurements"].items()) {
    if (!value.is_number() || value < 0) {
      complaints.push_back("the measurement \"" + name + "\" is " + value.dump());
    }
  }
  return complaints;
}

// The reports of a campaign that is kept for good are packed, which makes them a tenth as large.
std::set<std::string> packed_reports(const std::filesystem::path& directory) {
  std::set<std::string> names;
  const auto archive = directory / "raw.tar.xz";
  if (!std::filesystem::exists(archive)) return names;
  std::istringstream list(capture({"tar", "-tf", archive.string()}).value_or(""));
  for (std::string name; std::getline(list, name);) names.insert(name);
  return names;
}

}  // namespace

bool reports_set_aside(const std::filesystem::path& directory) {
  return is_packed(directory) && !std::filesystem::exists(directory / "raw") &&
         !std::filesystem::exists(directory / "raw.tar.xz");
}

std::vector<std::string> check_campaign(const std::filesystem::path& directory) {
  std::vector<std::string> complaints;
  const json campaign = read_campaign(directory);
  const std::string origin = (directory / "campaign.json").string();
  Plan plan = parse_plan(campaign.at("plan").dump(), origin + ": plan");
  const auto seed = campaign.at("seed").get<std::uint64_t>();
  const int cpus = campaign.at("environment").at("cpus").get<int>();

  // Plan and CPUs say which cells must be there. In which order a seed puts them is known to the
  // archbench that ran them, and a later one may do it otherwise: here every place is taken once.
  std::map<std::string, Cell> expected;
  std::map<int, int> places;  // of each block
  if (campaign.contains("stopping") && campaign["stopping"].contains("precision")) {
    plan.blocks = std::max(plan.blocks, most_blocks());
  }
  for (const Cell& cell : make_schedule(plan, seed, cpus).cells) {
    expected[cell.id()] = cell;
    ++places[cell.block];
  }
  if (expected.size() != campaign.at("cells_total").get<std::size_t>()) {
    complaints.push_back(origin + ": cells_total is " + campaign.at("cells_total").dump() +
                         ", but the plan has " + std::to_string(expected.size()) + " cells");
  }

  const bool set_aside = reports_set_aside(directory);
  const std::set<std::string> packed = packed_reports(directory);
  std::set<std::string> seen;
  std::set<std::pair<int, int>> taken;
  int line = 0;
  for (const json& cell : read_cells(directory)) {
    const std::string place = "cells.jsonl: line " + std::to_string(++line) + ": ";
    for (const std::string& complaint : check_cell(cell)) complaints.push_back(place + complaint);
    const auto id = cell.at("cell").get<std::string>();
    if (!seen.insert(id).second) complaints.push_back(place + id + " is there twice");
    const auto known = expected.find(id);
    if (known == expected.end()) {
      complaints.push_back(place + id + " is not in the plan");
    } else {
      const int block = known->second.block, order = cell.value("order", -1);
      if (order < 0 || order >= places[block] || !taken.emplace(block, order).second) {
        complaints.push_back(place + id + " was not run in a place of its own");
      }
    }
    if (set_aside || !cell.contains("provenance")) continue;
    for (const json& raw : cell["provenance"].value("raw", json::array())) {
      const auto name = raw.get<std::string>();
      if (!packed.contains(name) && !std::filesystem::exists(directory / name)) {
        complaints.push_back(place + name + " is missing");
      }
    }
  }
  if (!is_complete(directory, campaign)) {
    complaints.push_back("not complete: " + std::to_string(seen.size()) + " of " +
                         std::to_string(expected.size()) + " cells; archbench run goes on with it");
  }
  return complaints;
}

}  // namespace archbench
