#include "harness/campaign.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "harness/error.h"
#include "harness/progress.h"
#include "harness/runner.h"
#include "harness/store.h"
#include "harness/wrk.h"

namespace archbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::set<std::string> architectures_of(const Plan& plan) {
  std::set<std::string> architectures;
  for (const ServerSpec& server : plan.servers) architectures.insert(server.architecture);
  return architectures;
}

// Says what is doubtful about the machine, and stops where there would be no numbers at all.
ordered_json consult_doctor(const Places& places, const Demand& demand) {
  const auto findings = examine(places, demand);
  for (const Finding& finding : findings) {
    if (finding.health != Health::block) continue;
    throw Error("this plan cannot be run here: " + finding.name + ": " + finding.found + ". " +
                finding.advice);
  }
  if (const std::string trouble = to_text(findings, true); !trouble.empty()) {
    std::fprintf(stderr, "%s\n", trouble.c_str());
  }
  return to_json(findings);
}

fs::path choose_directory(const CampaignOptions& options, const Plan& plan,
                          const ordered_json& campaign) {
  if (!options.out.empty()) return options.out;
  const fs::path results = "results";
  fs::path unfinished = find_unfinished(results, campaign);
  if (!unfinished.empty()) {
    std::fprintf(stderr, "Going on with %s, which is not complete (--out begins a new campaign).\n",
                 unfinished.c_str());
    return unfinished;
  }
  return results / (plan.name + "-" + utc_now_compact());
}

}  // namespace

Demand demand_of(const Plan& plan, const Schedule& schedule) {
  Demand demand{.most_clients = 1, .most_cpus = 1, .architectures = architectures_of(plan)};
  for (const Cell& cell : schedule.cells) {
    demand.most_clients = std::max(demand.most_clients, cell.clients);
    demand.most_cpus = std::max(demand.most_cpus, cell.cpus);
  }
  return demand;
}

Schedule schedule_here(const Plan& plan, std::uint64_t seed) {
  const auto cpus = static_cast<int>(allowed_cpus().size());
  Schedule schedule = make_schedule(plan, seed, cpus);
  if (schedule.cells.empty()) {
    throw Error("every cell of the plan wants more CPUs than the " + std::to_string(cpus) +
                " of this machine");
  }
  if (schedule.left_out > 0) {
    std::fprintf(stderr,
                 "%d cells of each block are left out: they want more than the %d CPUs here.\n",
                 schedule.left_out, cpus);
  }
  return schedule;
}

ordered_json describe_campaign(const Plan& plan, std::uint64_t seed, const Schedule& schedule,
                               const Places& places, const std::vector<std::string>& command) {
  return {{"schema", "archbench.campaign/1"},
          {"name", plan.name},
          {"started_utc", utc_now()},
          {"seed", seed},
          {"cells_total", schedule.cells.size()},
          {"cells_per_block", schedule.cells_per_block},
          {"plan", plan.as_given},
          {"command", command},
          {"environment", read_environment()},
          {"provenance", read_provenance(places, architectures_of(plan))}};
}

void run_campaign(const CampaignOptions& options) {
  const Places places = find_places(options.servers);
  const Plan plan = load_plan(find_plan(options.plan, places.plans));
  const std::uint64_t seed = options.seed.value_or(plan.seed);
  const Schedule schedule = schedule_here(plan, seed);
  raise_descriptor_limit();
  const ordered_json health = consult_doctor(places, demand_of(plan, schedule));
  ordered_json campaign = describe_campaign(plan, seed, schedule, places, options.command);
  campaign["doctor"] = health;

  Store store = Store::open(choose_directory(options, plan, campaign), campaign);
  if (!store.note().empty()) std::fprintf(stderr, "%s\n", store.note().c_str());
  std::fprintf(stderr, "%s: %zu of %zu cells to measure, about %s.\n", store.directory().c_str(),
               schedule.cells.size() - store.size(), schedule.cells.size(),
               spoken_time(expected_seconds(plan, schedule.cells.size() - store.size())).c_str());

  std::map<std::string, std::string> hashes;
  for (const auto& server : campaign["provenance"]["servers"]) {
    hashes[server["architecture"].get<std::string>()] = server.value("sha256", "");
  }
  const std::vector<int> cpus = allowed_cpus();  // before pin_self() narrows them
  LocalServer server(places.servers);
  Wrk generator(*places.wrk, places.script);
  MonotonicClock clock;
  Runner runner({.server = server,
                 .generator = generator,
                 .clock = clock,
                 .probe = fetch,
                 .machine = read_machine_times,
                 .cpus = cpus,
                 .raw_directory = fs::absolute(store.raw_directory())},
                plan);
  Progress progress(stderr, store.size(), schedule.cells.size(), plan.blocks,
                    expected_seconds(plan, 1));

  for (const Cell& cell : schedule.cells) {
    if (store.has(cell.id())) continue;
    throw_if_interrupted();
    progress.begin(cell);
    pin_self(place(cpus, cell.cpus).generator);  // archbench, too, stays off the server's CPUs
    const double begin = clock.now();
    const std::string started = utc_now();
    Result result = runner.run(cell);
    result.started_utc = started;
    result.provenance.seed = seed;
    result.provenance.server_binary_sha256 = hashes[cell.server.architecture];
    result.provenance.commit = campaign["provenance"].value("commit", "");
    if (campaign["provenance"].contains("dirty")) {
      result.provenance.dirty = campaign["provenance"]["dirty"].get<bool>();
    }
    store.append(to_json(result));
    progress.end(result, clock.now() - begin);
  }
  std::fflush(stderr);
  std::printf("complete: %s\n", store.directory().c_str());
}

}  // namespace archbench
