// When is a campaign long enough? Precise enough, looked at only at fixed times, or out of time.
//
// For every pair of servers under the same workload, clients and CPUs the ratio of requests per CPU
// second is taken within each block; the half-width is that of Student's 95 % interval for the mean
// of its logarithm. Stopping depends on the width alone, never on which server is ahead, and only
// after fixed numbers of blocks: looking after every block would stop at the luckiest one. (The
// analysis makes its own intervals, by bootstrap; this one is for deciding when to stop.)
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace archbench {

struct Stopping {
  std::optional<double> precision;  // half-width of a log-ratio: 0.02 is 2 %
  std::optional<double> budget_s;   // sum of took_s of all cells
};

// Blocks after which the precision is looked at: 6, 8, 12, 16, 24, 32, 48, 64. Six are the fewest
// that allow a 95 % interval of a median; each step is a third to a half more.
const std::vector<int>& looks();

// Blocks of a campaign that goes on until it is precise: the last look.
int most_blocks();

struct Look {
  int blocks = 0;
  int pairs = 0;
  int precise = 0;
  int not_measurable = 0;  // usable in fewer than half of the blocks: more of them would not help
  double widest = 0;
  std::string widest_pair;

  bool enough() const { return precise + not_measurable == pairs; }
};

// `cells` are lines of cells.jsonl; those of `blocks` whole blocks from the first are looked at.
Look look_at(const std::vector<nlohmann::json>& cells, int blocks, double precision);

nlohmann::ordered_json to_json(const Look& look);

// "2%", "0.02" -> 0.02 and "90s", "30m", "2h" -> seconds. Throw Error with what was expected.
double parse_precision(const std::string& text);
double parse_budget(const std::string& text);

}  // namespace archbench
