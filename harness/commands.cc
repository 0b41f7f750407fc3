#include "harness/commands.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "harness/campaign/campaign.h"
#include "harness/campaign/check.h"
#include "harness/campaign/store.h"
#include "harness/error.h"
#include "harness/generators/generators.h"
#include "harness/machine/doctor.h"
#include "harness/machine/settings.h"
#include "harness/servers/catalogue.h"

namespace archbench {
namespace {

namespace fs = std::filesystem;

std::string joined(const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers) text += (text.empty() ? "" : " ") + std::to_string(number);
  return text;
}

}  // namespace

int show_plan(const std::string& given, std::optional<std::uint64_t> seed,
              const fs::path& servers) {
  const Places places = find_places(servers);
  const Plan plan = load_plan(find_plan(given, places.plans));
  const Schedule schedule =
      schedule_for(plan, seed.value_or(plan.seed), make_site(plan, places)->cpus());
  std::printf("%s: %s\n", plan.name.c_str(), plan.question.c_str());
  std::printf("%zu cells, %d blocks, about %s\n\n", schedule.cells.size(), plan.blocks,
              spoken_time(expected_seconds(plan, schedule.cells.size())).c_str());

  if (schedule.ceiling_cells > 0) {
    std::printf("%d of them are of the null responder, before block 0: the generator's ceiling\n\n",
                schedule.ceiling_cells);
  }
  // One line for each server, workload and CPU count, with its client counts as the plan orders
  // them.
  std::printf("%-20s %-22s %-4s  %s\n", "server", "workload", "cpus", "clients");
  for (const ServerSpec& server : plan.servers) {
    for (const Workload& workload : plan.workloads) {
      std::map<int, std::set<int>> clients;  // by CPUs
      for (const Cell& cell : schedule.cells) {
        if (cell.block == 0 && cell.server.label == server.label &&
            cell.workload.name == workload.name) {
          clients[cell.cpus].insert(cell.clients);
        }
      }
      for (const auto& [cpus, counts] : clients) {
        std::printf("%-20s %-22s %-4d  %s\n", server.label.c_str(), workload.name.c_str(), cpus,
                    joined({counts.begin(), counts.end()}).c_str());
      }
    }
  }
  Catalogue catalogue;
  bool all_there = true;
  for (const ServerSpec& server : plan.servers) {
    const std::string why = catalogue.complaint(server, places.servers);
    if (why.empty()) continue;
    std::printf("%s%s cannot be run: %s\n", all_there ? "\n" : "", server.label.c_str(),
                why.c_str());
    all_there = false;
  }
  return all_there ? 0 : 1;
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
  std::printf("\ngenerators\n");
  for (const GeneratorKind& kind : generator_kinds()) {
    const bool there = generator_program(kind.name, places).has_value();
    std::printf("  %-12s %s%s\n", kind.name.c_str(), there ? "" : "(not here) ", kind.why.c_str());
  }
  std::printf("\nservers (%s)\n", places.servers.c_str());
  std::set<fs::path> programs;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(places.servers, none)) {
    if (entry.path().filename().string().starts_with("httpd_")) programs.insert(entry.path());
  }
  Catalogue catalogue;
  for (const fs::path& program : programs) {
    const ProgramHelp& help = catalogue.of(program);
    if (!help.runs) continue;
    std::printf("  %s\n", program.filename().c_str());
    for (std::size_t i = 0; i < help.models.size(); ++i) {
      std::printf("    %-10s %s\n", help.models[i].c_str(), help.sentences[i].c_str());
    }
  }
  if (programs.empty()) std::printf("  none; build them, or name their folder with --servers\n");
  return 0;
}

int show_doctor(const std::string& given, const fs::path& servers, Remedy remedy) {
  const Places places = find_places(servers);
  Settings settings;
  const auto say = [](const std::vector<std::string>& sentences) {
    for (const std::string& sentence : sentences) std::printf("%s\n", sentence.c_str());
  };
  say(settings.restore_if_abandoned());
  if (remedy == Remedy::restore) {
    say(settings.restore());
    return 0;
  }
  Demand demand;
  if (!given.empty()) {
    const Plan plan = load_plan(find_plan(given, places.plans));
    demand =
        demand_of(plan, schedule_for(plan, plan.seed, make_site(plan, places)->cpus()), places);
  }
  auto findings = examine(places, demand);
  if (remedy == Remedy::apply) {
    say(settings.apply(findings, 0));
    findings = examine(places, demand);
  }
  std::printf("%s", to_text(findings, false).c_str());
  if (settings.changed()) {
    std::printf(
        "\nSettings are changed until the next campaign ends, or 'archbench doctor "
        "--restore'.\n");
  }
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
  if (!fs::exists(directory / "campaign.json") && fs::is_directory(directory)) {
    // A folder of campaigns, such as results/reference.
    std::set<fs::path> campaigns;
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (fs::exists(entry.path() / "campaign.json")) campaigns.insert(entry.path());
    }
    int worst = 0;
    for (const fs::path& campaign : campaigns) worst = std::max(worst, show_validity(campaign));
    if (!campaigns.empty()) return worst;
  }
  const auto complaints = check_campaign(directory);
  for (const std::string& complaint : complaints) std::printf("%s\n", complaint.c_str());
  if (complaints.empty()) {
    std::printf(
        "%s: complete and as it should be%s\n", directory.c_str(),
        reports_set_aside(directory) ? "; kept without the generators' reports (raw/)" : "");
  }
  return complaints.empty() ? 0 : 1;
}

int become_script(const std::string& name, const std::vector<std::string>& words) {
  const fs::path script = find_places({}).scripts / (name + ".py");
  if (!fs::is_regular_file(script)) {
    throw Error("'archbench " + name + "' is the program " + name +
                ".py of the scripts, which is " + "not here; run archbench from its source tree");
  }
  std::vector<std::string> command{"/usr/bin/python3", script.string()};
  command.insert(command.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  throw Error(errno_text("starting " + command[0]));
}

}  // namespace archbench
