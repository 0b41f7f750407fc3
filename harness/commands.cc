#include "harness/commands.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "harness/campaign.h"
#include "harness/check.h"
#include "harness/doctor.h"
#include "harness/error.h"
#include "harness/server.h"
#include "harness/store.h"
#include "harness/subprocess.h"

namespace archbench {
namespace {

namespace fs = std::filesystem;

std::string joined(const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers) text += (text.empty() ? "" : " ") + std::to_string(number);
  return text;
}

}  // namespace

int show_plan(const std::string& given, std::optional<std::uint64_t> seed) {
  const Places places = find_places({});
  const Plan plan = load_plan(find_plan(given, places.plans));
  const Schedule schedule = schedule_here(plan, seed.value_or(plan.seed));
  std::printf("%s: %s\n", plan.name.c_str(), plan.question.c_str());
  std::printf("%zu cells, %d blocks, about %s\n\n", schedule.cells.size(), plan.blocks,
              spoken_time(expected_seconds(plan, schedule.cells.size())).c_str());

  // One line for each server, workload and CPU count, with its client counts as the plan orders
  // them.
  std::printf("%-16s %-20s %-4s  %s\n", "server", "workload", "cpus", "clients");
  for (const ServerSpec& server : plan.servers) {
    for (const Workload& workload : plan.workloads) {
      for (const int cpus : plan.cpus) {
        std::vector<int> clients;
        for (const Cell& cell : schedule.cells) {
          if (cell.block == 0 && cell.server.label == server.label &&
              cell.workload.name == workload.name && cell.cpus == cpus) {
            clients.push_back(cell.clients);
          }
        }
        if (clients.empty()) continue;
        std::sort(clients.begin(), clients.end());
        std::printf("%-16s %-20s %-4d  %s\n", server.label.c_str(), workload.name.c_str(), cpus,
                    joined(clients).c_str());
      }
    }
  }
  return 0;
}

int show_list(const fs::path& servers) {
  const Places places = find_places(servers);
  std::printf("plans (%s)\n", places.plans.c_str());
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(places.plans)) {
    if (entry.path().extension() == ".json") files.insert(entry.path());
  }
  for (const fs::path& file : files) {
    const Plan plan = load_plan(file);
    std::printf("  %-12s %s\n", plan.name.c_str(), plan.question.c_str());
  }
  std::printf("\nservers (%s)\n", places.servers.c_str());
  bool any = false;
  for (const std::string architecture : {"mp", "mt", "edsm", "st"}) {
    const fs::path binary = server_binary(places.servers, architecture);
    const auto help = capture({binary.string(), "--help"});
    if (!help) continue;
    any = true;
    // The servers' own words: what --help lists under "Models", up to the empty line.
    const std::size_t models = std::min(help->find("\nModels"), help->size());
    const std::size_t first = std::min(help->find("\n  ", models), help->size());
    const std::size_t last = std::min(help->find("\n\n", first), help->size());
    std::printf("  %s%s\n", binary.filename().c_str(), help->substr(first, last - first).c_str());
  }
  if (!any) std::printf("  none; build them, or name their folder with --servers\n");
  return 0;
}

int show_doctor(const std::string& given, const fs::path& servers) {
  const Places places = find_places(servers);
  Demand demand;
  if (!given.empty()) {
    const Plan plan = load_plan(find_plan(given, places.plans));
    demand = demand_of(plan, schedule_here(plan, plan.seed));
  }
  const auto findings = examine(places, demand);
  std::printf("%s", to_text(findings, false).c_str());
  if (!any_block(findings)) return 0;
  std::printf("\nWith what is marked \"block\" there would be no numbers.\n");
  return 1;
}

int show_status(const fs::path& directory) {
  const auto campaign = read_campaign(directory);
  const auto cells = read_cells(directory);
  const auto total = campaign.at("cells_total").get<std::size_t>();
  std::map<std::string, int> failed_gates, warnings;
  int failed = 0, doubtful = 0;
  for (const auto& cell : cells) {
    if (cell.at("status") != "ok") ++failed;
    bool invalid = false;
    for (const auto& gate : cell.at("gates")) {
      if (gate.at("verdict") != "fail") continue;
      ++failed_gates[gate.at("name").get<std::string>() + " (" + gate.value("effect", "") + ")"];
      invalid = invalid || gate.value("effect", "") == "invalidates";
    }
    doubtful += invalid ? 1 : 0;
    for (const auto& warning : cell.at("warnings")) ++warnings[warning.at("code")];
  }
  std::printf("%s: %s\n", campaign.at("name").get<std::string>().c_str(),
              campaign.at("plan").at("question").get<std::string>().c_str());
  std::printf("%zu of %zu cells; %d failed, %d invalidated by a gate\n", cells.size(), total,
              failed, doubtful);
  for (const auto& [name, count] : failed_gates) {
    std::printf("  gate failed: %-40s %d\n", name.c_str(), count);
  }
  for (const auto& [name, count] : warnings) {
    std::printf("  warning:     %-40s %d\n", name.c_str(), count);
  }
  for (const auto& cell : cells) {
    if (cell.at("status") == "ok") continue;
    std::printf("  failed:      %s: %s\n", cell.at("cell").get<std::string>().c_str(),
                cell.value("reason", "").c_str());
  }
  return 0;
}

int show_validity(const fs::path& directory) {
  const auto complaints = check_campaign(directory);
  for (const std::string& complaint : complaints) std::printf("%s\n", complaint.c_str());
  if (complaints.empty()) std::printf("%s: complete and as it should be\n", directory.c_str());
  return complaints.empty() ? 0 : 1;
}

}  // namespace archbench
