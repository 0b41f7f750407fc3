#include "harness/campaign/campaign.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "harness/campaign/progress.h"
#include "harness/campaign/provenance.h"
#include "harness/campaign/store.h"
#include "harness/cell/runner.h"
#include "harness/error.h"
#include "harness/machine/settings.h"
#include "harness/servers/catalogue.h"

namespace archbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

// Says what is doubtful about the machine, and stops where there would be no numbers at all.
ordered_json consult_doctor(Site& site, const Demand& demand) {
  const auto findings = site.examine(demand);
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

// Kernel settings for the length of a campaign.
class AppliedSettings {
 public:
  AppliedSettings(bool apply, const Places& places, const Demand& demand) : mine_(apply) {
    say(settings_.restore_if_abandoned());
    // What `doctor --apply` has set is put back by the first campaign that ends.
    mine_ = mine_ || settings_.changed();
    if (apply) say(settings_.apply(examine(places, demand), getpid()));
    if (mine_) settings_.guard();
  }
  ~AppliedSettings() {
    if (!mine_) return;
    try {
      say(settings_.restore());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "archbench: %s\n", error.what());
    }
  }
  AppliedSettings(const AppliedSettings&) = delete;
  AppliedSettings& operator=(const AppliedSettings&) = delete;

 private:
  static void say(const std::vector<std::string>& sentences) {
    for (const std::string& sentence : sentences) std::fprintf(stderr, "%s\n", sentence.c_str());
  }

  Settings settings_;
  bool mine_;
};

// What a campaign knows beside its cells: who was measured, on what, and what the ceilings were.
class Knowledge {
 public:
  Knowledge(const ordered_json& campaign, const Places& places) : campaign_(campaign) {
    servers_ = places.servers;
    for (const auto& server : campaign.at("provenance").at("servers")) {
      hashes_[server.at("path")] = server.value("sha256", "");
    }
    for (const auto& generator : campaign.at("provenance").at("generators")) {
      generators_[generator.at("name")] = generator.value("sha256", "");
    }
  }

  // From a line of cells.jsonl.
  void learn(const json& line) {
    if (line.at("architecture") != "null" || line.at("status") != "ok") return;
    const std::string condition = line.at("workload").get<std::string>() + "/c" +
                                  line.at("clients").dump() + "/k" + line.at("cpus").dump();
    ceilings_[condition] = line.at("measurements").at("throughput_rps").get<double>();
  }

  Known about(const Cell& cell) const {
    Known known;
    const auto ceiling = ceilings_.find(cell.condition());
    if (ceiling != ceilings_.end() && !cell.is_ceiling()) known.ceiling_rps = ceiling->second;
    const auto hash = hashes_.find(server_program(cell.server, servers_).string());
    if (hash != hashes_.end()) known.expected_sha256 = hash->second;
    return known;
  }

  void sign(Provenance& from, const std::string& generator) const {
    const auto& machine = campaign_.at("environment");
    const auto& build = campaign_.at("provenance");
    from.seed = campaign_.at("seed").get<std::uint64_t>();
    from.commit = build.value("commit", "");
    if (build.contains("dirty")) from.dirty = build["dirty"].get<bool>();
    from.compiler = build.value("compiler", "");
    from.build_flags = build.value("build_flags", "");
    from.archbench_sha256 = build.value("archbench_sha256", "");
    from.kernel = machine.value("kernel", "");
    from.cpu_model = machine.value("cpu_model", "");
    if (const auto hash = generators_.find(generator); hash != generators_.end()) {
      from.generator_sha256 = hash->second;
    }
  }

 private:
  const ordered_json& campaign_;
  fs::path servers_;
  std::map<std::string, std::string> hashes_;      // by path
  std::map<std::string, std::string> generators_;  // by name
  std::map<std::string, double> ceilings_;         // by condition
};

// Decides after each cell whether to go on, and keeps stop.json.
class Stopper {
 public:
  Stopper(const Stopping& stopping, const Store& store, const Schedule& schedule)
      : stopping_(stopping), store_(store), schedule_(schedule) {
    for (const json& cell : store.cells()) spent_s_ += cell.value("took_s", 0.0);
  }

  void took(double seconds) { spent_s_ += seconds; }

  // Called before `cell`; `expected_s` is how long it will take. True: stop here.
  bool stops_before(const Cell& cell, double expected_s) {
    const bool first = cell.order == (cell.block == 0 ? schedule_.ceiling_cells : 0);
    if (stopping_.precision && first && look(cell.block)) return stop("precision");
    if (stopping_.budget_s && spent_s_ + expected_s > *stopping_.budget_s) return stop("budget");
    return false;
  }

  void completed() { stop("complete"); }

 private:
  // After `blocks` whole blocks: is it enough?
  bool look(int blocks) {
    if (std::find(looks().begin(), looks().end(), blocks) == looks().end()) return false;
    const Look seen = look_at(store_.cells(), blocks, *stopping_.precision);
    looks_.push_back(to_json(seen));
    write("running", blocks);
    std::fprintf(stderr,
                 "After %d blocks %d of %d pairs are within %.1f %%; the widest is %.1f %%.\n",
                 blocks, seen.precise, seen.pairs, 100 * *stopping_.precision, 100 * seen.widest);
    return seen.enough();
  }

  bool stop(const char* why) {
    write(why, complete_blocks());
    if (std::string(why) != "complete") {
      std::fprintf(stderr, "Stopped after %zu cells: %s.\n", store_.cells().size(),
                   std::string(why) == "precision" ? "precise enough" : "the time is spent");
    }
    return true;
  }

  int complete_blocks() const {
    std::map<int, int> count;
    for (const json& cell : store_.cells()) {
      if (cell.at("architecture") != "null") ++count[cell.at("block").get<int>()];
    }
    return static_cast<int>(std::count_if(count.begin(), count.end(), [&](const auto& entry) {
      return entry.second == schedule_.cells_per_block;
    }));
  }

  void write(const char* why, int blocks) const {
    store_.write_stop({{"schema", "archbench.stop/1"},
                       {"stopped", why},
                       {"blocks_complete", blocks},
                       {"spent_s", spent_s_},
                       {"looks", looks_}});
  }

  const Stopping& stopping_;
  const Store& store_;
  const Schedule& schedule_;
  double spent_s_ = 0;
  ordered_json looks_ = ordered_json::array();
};

// One cell; whatever goes wrong with it is in its result.
Result measure_cell(Runner& runner, Site& site, const Cell& cell, Known known) {
  MonotonicClock clock;
  const double begin = clock.now();
  const std::string started = utc_now();
  Result result;
  const auto fail = [&](const std::exception& failure) {
    result.cell = cell;
    result.failure = failure.what();
  };
  try {
    known.origin = site.settle(cell);
    result = runner.run(cell, known);
  } catch (const CellFailed& failure) {
    fail(failure);
  } catch (const Error& error) {
    fail(error);  // not the cell's fault, but no reason to give up the others
  } catch (const fs::filesystem_error& error) {
    fail(error);
  }
  result.started_utc = started;
  result.took_s = clock.now() - begin;
  return result;
}

}  // namespace

Demand demand_of(const Plan& plan, const Schedule& schedule, const Places& places) {
  Demand demand{
      .most_clients = 1, .most_cpus = 1, .servers = {}, .generators = generators_of(plan)};
  for (const Cell& cell : schedule.cells) {
    demand.most_clients = std::max(demand.most_clients, cell.clients);
    demand.most_cpus = std::max(demand.most_cpus, cell.cpus);
    demand.servers.insert(server_program(cell.server, places.servers));
    if (cell.workload.origin) demand.servers.insert(places.servers / ceiling_server().program);
  }
  return demand;
}

Schedule schedule_for(const Plan& plan, std::uint64_t seed, int cpus) {
  Schedule schedule = make_schedule(plan, seed, cpus);
  if (schedule.cells_per_block == 0) {
    throw Error("every cell of the plan wants more CPUs than the " + std::to_string(cpus) +
                " of the server's machine");
  }
  if (schedule.left_out > 0) {
    std::fprintf(
        stderr, "%d cells of each block are left out: they want more than the %d CPUs there are.\n",
        schedule.left_out, cpus);
  }
  return schedule;
}

ordered_json describe_campaign(const Plan& plan, std::uint64_t seed, const Schedule& schedule,
                               const Places& places, Site& site, const CampaignOptions& options) {
  ordered_json campaign{{"schema", "archbench.campaign/1"},
                        {"name", plan.name},
                        {"started_utc", utc_now()},
                        {"seed", seed},
                        {"cells_total", schedule.cells.size()},
                        {"cells_per_block", schedule.cells_per_block}};
  if (schedule.ceiling_cells > 0) campaign["ceiling_cells"] = schedule.ceiling_cells;
  const Stopping& stopping = options.stopping;
  if (stopping.precision) {
    campaign["stopping"]["precision"] = *stopping.precision;
    campaign["stopping"]["most_blocks"] = plan.blocks;
    campaign["stopping"]["looks"] = looks();
  }
  if (stopping.budget_s) campaign["stopping"]["budget_s"] = *stopping.budget_s;
  campaign["plan"] = plan.as_given;
  campaign["command"] = options.command;
  site.describe(campaign);
  campaign["provenance"] = read_provenance(places, plan);
  return campaign;
}

void run_campaign(const CampaignOptions& options) {
  const Places places = find_places(options.servers);
  Plan plan = load_plan(find_plan(options.plan, places.plans));
  if (options.stopping.precision) plan.blocks = std::max(plan.blocks, most_blocks());
  const std::uint64_t seed = options.seed.value_or(plan.seed);
  if (plan.hosts && options.apply)
    throw Error("--apply changes this machine, not the plan's hosts");
  const auto site = make_site(plan, places);
  const Schedule schedule = schedule_for(plan, seed, site->cpus());
  const Demand demand = demand_of(plan, schedule, places);
  const AppliedSettings settings(options.apply, places, demand);
  raise_descriptor_limit();
  const ordered_json health = consult_doctor(*site, demand);
  Catalogue().require_all(plan, places);
  ordered_json campaign = describe_campaign(plan, seed, schedule, places, *site, options);
  campaign["doctor"] = health;

  Store store = Store::open(choose_directory(options, plan, campaign), campaign);
  if (!store.note().empty()) std::fprintf(stderr, "%s\n", store.note().c_str());
  std::fprintf(stderr, "%s: %zu of %zu cells to measure, about %s.\n", store.directory().c_str(),
               schedule.cells.size() - store.size(), schedule.cells.size(),
               spoken_time(expected_seconds(plan, schedule.cells.size() - store.size())).c_str());

  Rig rig = site->rig(store.directory());
  rig.sampling = options.sampling;
  Runner runner(rig, plan);
  Knowledge knowledge(campaign, places);
  Stopper stopper(options.stopping, store, schedule);
  Progress progress(stderr, store.size(), schedule.cells.size(), plan.blocks,
                    expected_seconds(plan, 1));
  for (const json& line : store.cells()) knowledge.learn(line);
  bool stopped = false;
  for (const Cell& cell : schedule.cells) {
    if (store.has(cell.id())) continue;
    throw_if_interrupted();
    if ((stopped = stopper.stops_before(cell, expected_seconds(plan, 1)))) break;
    progress.begin(cell);
    Result result = measure_cell(runner, *site, cell, knowledge.about(cell));
    knowledge.sign(result.provenance, cell.workload.generator);
    store.append(to_json(result));
    knowledge.learn(store.cells().back());
    stopper.took(result.took_s);
    progress.end(result, result.took_s);
    if (store.unwritten() > 0) {
      std::fprintf(stderr, "%zu cells are not in the folder yet: %s\n", store.unwritten(),
                   store.trouble().c_str());
    }
  }
  if (!store.flush()) {
    throw Error(std::to_string(store.unwritten()) + " cells could not be written (" +
                store.trouble() + "); the same command measures them again");
  }
  if (!stopped) stopper.completed();
  std::fflush(stderr);
  std::printf("complete: %s\n", store.directory().c_str());
}

}  // namespace archbench
