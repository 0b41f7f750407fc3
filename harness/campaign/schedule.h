// The order of a campaign: blocks of all cells, each in a random order of its own.
//
// Servers are compared under the same load, and machines change their speed within minutes. So what
// is compared runs close together: a block takes the workloads in random order, each workload's
// loads (CPUs, clients) in random order, and each load's servers in random order.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/cell.h"
#include "harness/plan/plan.h"

namespace archbench {

// SplitMix64 (Steele, Lea, Flood 2014) instead of <random>: the standard leaves the distributions
// and std::shuffle to each library, and one seed must give one order everywhere.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::uint64_t below(std::uint64_t limit);  // uniform in [0, limit), without modulo bias

 private:
  std::uint64_t state_;
};

struct Schedule {
  std::vector<Cell> cells;  // in the order of running
  int cells_per_block = 0;  // the same in every block
  int ceiling_cells = 0;    // of the null responder, before those of block 0
  int left_out = 0;         // cells of each block that want more CPUs than this machine has
};

// `plan.blocks` blocks. A longer schedule begins with the shorter one, so that a campaign can be
// extended. The first CPU count of the plan is crossed with `clients`, the others with
// `system_clients` when the plan has them. The block's order depends on the seed and on the blocks
// before it alone.
Schedule make_schedule(const Plan& plan, std::uint64_t seed, int machine_cpus);

// How long the cells will take, with what a cell costs beside its warm-up and its window. Seconds.
double expected_seconds(const Plan& plan, std::size_t cells);

// "2 min 30 s".
std::string spoken_time(double seconds);

}  // namespace archbench
