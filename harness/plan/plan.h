// A plan: one question, as a list of things to cross. The form is results/schema/plan.schema.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/plan/cell.h"
#include "harness/plan/hosts.h"

namespace archbench {

// A file that archbench makes before the first cell; the servers' docroot is the folder of them.
struct ServedFile {
  std::string path;
  std::uint64_t bytes = 0;
  bool disk = false;  // in the form that /disk/ reads: made by make_disk_file
};

// NOLINTNEXTLINE(bugprone-exception-escape): an assertion in json's move is taken for a throw.
struct Plan {
  std::string name;
  std::string question;
  std::vector<ServerSpec> servers;  // twins included, each behind its original
  std::vector<Workload> workloads;  // one for each rate of those that have rates
  std::vector<ServedFile> files;
  std::optional<HostsWanted> hosts;  // absent: everything runs on this machine
  std::vector<int> clients;
  std::vector<int> cpus;
  std::vector<int> system_clients;  // empty: every CPU count is crossed with `clients`
  bool ceiling = false;             // the null responder is measured first
  double warmup_seconds = 1;
  double seconds = 0;
  int blocks = 0;
  std::uint64_t seed = 0;

  nlohmann::json as_given;  // what campaign.json keeps
};

// Reads and checks a plan. Throws Error with one sentence that names the place in the file.
Plan load_plan(const std::filesystem::path& file);

// The same for text that has been read already; `origin` is how messages call it.
Plan parse_plan(const std::string& text, const std::string& origin);

// PLAN as the user gave it: a file, or the name of a plan in `plans` (quick -> plans/quick.json).
std::filesystem::path find_plan(const std::string& given, const std::filesystem::path& plans);

// The generators that a plan uses, each once.
std::set<std::string> generators_of(const Plan& plan);

}  // namespace archbench
