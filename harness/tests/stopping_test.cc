#include "harness/campaign/stopping.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/campaign/schedule.h"
#include "harness/error.h"

namespace archbench {
namespace {

using nlohmann::json;

json cell(const std::string& label, int block, double rate) {
  return {{"cell", label + std::to_string(block)},
          {"architecture", "st"},
          {"label", label},
          {"workload", "w"},
          {"clients", 8},
          {"cpus", 1},
          {"block", block},
          {"status", "ok"},
          {"gates", json::array()},
          {"measurements", {{"requests_per_cpu_s", rate}}}};
}

// Blocks that are all slower or faster by a lot, as on a shared machine: it must cancel out.
std::vector<json> blocks(int count, double noise) {
  SplitMix64 random(3);
  const auto draw = [&] { return static_cast<double>(random.below(2001)) / 1000 - 1; };
  std::vector<json> cells;
  for (int block = 0; block < count; ++block) {
    const double machine = 1 + 0.3 * draw();
    cells.push_back(cell("a", block, 1000 * machine * (1 + noise * draw())));
    cells.push_back(cell("b", block, 900 * machine * (1 + noise * draw())));
  }
  return cells;
}

TEST(Look, width_is_that_of_the_ratio_within_blocks) {
  const Look look = look_at(blocks(8, 0.005), 8, 0.02);
  EXPECT_EQ(look.pairs, 1);
  EXPECT_EQ(look.precise, 1);
  EXPECT_TRUE(look.enough());
  EXPECT_FALSE(look_at(blocks(8, 0.2), 8, 0.02).enough());
}

TEST(Look, half_width_is_students) {
  // Log-ratios 0 and 0.02: mean 0.01, deviation 0.01414, t(1) = 12.706, so 12.706 * 0.01.
  std::vector<json> cells{cell("a", 0, 1), cell("b", 0, 1), cell("a", 1, std::exp(0.02)),
                          cell("b", 1, 1)};
  EXPECT_NEAR(look_at(cells, 2, 0.02).widest, 0.12706, 1e-9);
}

TEST(Look, only_whole_blocks_of_the_look_count) {
  auto cells = blocks(6, 0.005);
  cells.push_back(cell("a", 6, 1));
  cells.push_back(cell("b", 6, 1000));
  EXPECT_TRUE(look_at(cells, 6, 0.02).enough());
  EXPECT_FALSE(look_at(cells, 7, 0.02).enough());
}

TEST(Look, pair_that_cannot_be_measured_is_not_waited_for) {
  auto cells = blocks(8, 0.005);
  for (json& line : cells) {
    if (line["label"] == "b" && line["block"].get<int>() > 2) line["status"] = "failed";
  }
  const Look look = look_at(cells, 8, 0.02);
  EXPECT_EQ(look.not_measurable, 1);
  EXPECT_TRUE(look.enough());
}

TEST(Look, cells_that_a_gate_invalidates_and_ceilings_are_left_out) {
  auto cells = blocks(8, 0.005);
  cells[3]["gates"] = {{{"verdict", "fail"}, {"effect", "invalidates"}}};
  cells[3]["measurements"]["requests_per_cpu_s"] = 1e9;
  cells.push_back(cell("ceiling", 0, 5));
  cells.back()["architecture"] = "null";
  const Look look = look_at(cells, 8, 0.02);
  EXPECT_EQ(look.pairs, 1);
  EXPECT_TRUE(look.enough());
}

TEST(Stopping, precision_and_budget_are_read_as_they_are_spoken) {
  EXPECT_DOUBLE_EQ(parse_precision("2%"), 0.02);
  EXPECT_DOUBLE_EQ(parse_precision("0.05"), 0.05);
  EXPECT_DOUBLE_EQ(parse_budget("30m"), 1800);
  EXPECT_DOUBLE_EQ(parse_budget("1.5h"), 5400);
  for (const char* bad : {"", "%", "0%", "2 apples", "200%", "-1%"}) {
    EXPECT_THROW(parse_precision(bad), Error) << bad;
  }
  for (const char* bad : {"", "30", "m", "0s", "30 min"})
    EXPECT_THROW(parse_budget(bad), Error) << bad;
}

}  // namespace
}  // namespace archbench
