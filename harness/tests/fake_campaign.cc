// A campaign in which every cell takes no time and always says the same: what is left of
// run_campaign() when nothing is measured. For kill_test.py, which kills it.
//
//     fake_campaign PLAN FOLDER
#include <cstdio>

#include "harness/campaign/schedule.h"
#include "harness/campaign/store.h"
#include "harness/cell/result.h"
#include "harness/error.h"
#include "harness/plan/plan.h"
#include "harness/tests/observations.h"

namespace {

using namespace archbench;

// Numbers that differ from cell to cell, so that one taken for another would show.
Result result_of(const Cell& cell) {
  Observation seen = good_observation();
  seen.cell = cell;
  seen.window_end.server_cpu_s -=
      0.01 * cell.block + 0.1 * static_cast<double>(cell.server.label.size());
  Result result = conclude(seen);
  result.started_utc = "2026-01-01T00:00:00Z";
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    const Plan plan = load_plan(argv[1]);
    const Schedule schedule = make_schedule(plan, plan.seed, 1);
    const nlohmann::ordered_json campaign{
        {"schema", "archbench.campaign/1"},
        {"name", plan.name},
        {"started_utc", "2026-01-01T00:00:00Z"},
        {"seed", plan.seed},
        {"cells_total", schedule.cells.size()},
        {"cells_per_block", schedule.cells_per_block},
        {"plan", plan.as_given},
        {"command", {argv[0], argv[1], argv[2]}},
        {"environment", {{"kernel", "none"}, {"machine", "none"}, {"cpus", 1}}},
        {"provenance", {{"archbench_version", "fake"}, {"servers", nlohmann::json::array()}}}};
    Store store = Store::open(argv[2], campaign);
    for (const Cell& cell : schedule.cells) {
      if (!store.has(cell.id())) store.append(to_json(result_of(cell)));
    }
    return store.flush() ? 0 : 1;
  } catch (const Error& error) {
    std::fprintf(stderr, "fake_campaign: %s\n", error.what());
    return 1;
  }
}
