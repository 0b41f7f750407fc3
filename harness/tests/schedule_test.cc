#include "harness/campaign/schedule.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace archbench {
namespace {

Plan small_plan() {
  Plan plan;
  plan.servers = {{"mp", "fork", "mp", {}}, {"st", "process", "st", {}}};
  plan.workloads = {{"w", "/", true}};
  plan.clients = {1, 8, 64};
  plan.cpus = {1, 2};
  plan.blocks = 4;
  plan.warmup_seconds = 1;
  plan.seconds = 2;
  return plan;
}

std::vector<std::string> ids(const Schedule& schedule) {
  std::vector<std::string> list;
  for (const Cell& cell : schedule.cells) list.push_back(cell.id());
  return list;
}

TEST(SplitMix64, gives_the_published_numbers) {
  SplitMix64 random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
}

TEST(SplitMix64, draws_every_number_below_a_limit_about_equally_often) {
  SplitMix64 random(1);
  std::map<std::uint64_t, int> count;
  for (int i = 0; i < 6000; ++i) ++count[random.below(6)];
  ASSERT_EQ(count.size(), 6u);
  for (const auto& [number, times] : count) EXPECT_NEAR(times, 1000, 150) << number;
}

TEST(Schedule, every_block_holds_every_cell_once) {
  const Schedule schedule = make_schedule(small_plan(), 7, 8);
  EXPECT_EQ(schedule.cells_per_block, 12);
  const auto list = ids(schedule);
  EXPECT_EQ(std::set(list.begin(), list.end()).size(), 48u);
  for (int i = 0; i < 48; ++i) {
    EXPECT_EQ(schedule.cells[i].block, i / 12);
    EXPECT_EQ(schedule.cells[i].order, i % 12);
  }
}

TEST(Schedule, the_seed_decides_the_order) {
  EXPECT_EQ(ids(make_schedule(small_plan(), 7, 8)), ids(make_schedule(small_plan(), 7, 8)));
  EXPECT_NE(ids(make_schedule(small_plan(), 7, 8)), ids(make_schedule(small_plan(), 8, 8)));
}

TEST(Schedule, servers_that_are_compared_run_one_after_the_other) {
  Plan plan = small_plan();
  plan.servers.push_back({"mt", "thread", "mt", {}});
  plan.workloads.push_back({"v", "/", true});
  const Schedule schedule = make_schedule(plan, 7, 8);
  std::set<std::string> first_servers;
  for (std::size_t i = 0; i < schedule.cells.size(); i += plan.servers.size()) {
    const Cell& first = schedule.cells[i];
    first_servers.insert(first.server.label);
    for (std::size_t j = i; j < i + plan.servers.size(); ++j) {
      EXPECT_EQ(schedule.cells[j].workload.name, first.workload.name);
      EXPECT_EQ(schedule.cells[j].clients, first.clients);
      EXPECT_EQ(schedule.cells[j].cpus, first.cpus);
    }
  }
  EXPECT_EQ(first_servers.size(), plan.servers.size()) << "each is the first now and then";
}

TEST(Schedule, blocks_have_different_orders) {
  const Schedule schedule = make_schedule(small_plan(), 7, 8);
  int same = 0;
  for (int i = 0; i < 12; ++i) {
    const Cell &a = schedule.cells[i], &b = schedule.cells[12 + i];
    same += a.server.label == b.server.label && a.clients == b.clients && a.cpus == b.cpus;
  }
  EXPECT_LT(same, 12);
}

TEST(Schedule, system_clients_replace_clients_from_the_second_cpu_count_on) {
  Plan plan = small_plan();
  plan.system_clients = {64, 256};
  plan.blocks = 1;
  std::set<std::string> expected;
  for (const std::string server : {"mp/fork/mp/w/", "st/process/st/w/"}) {
    for (const char* rest : {"c1/k1/b0", "c8/k1/b0", "c64/k1/b0", "c64/k2/b0", "c256/k2/b0"}) {
      expected.insert(server + rest);
    }
  }
  const auto list = ids(make_schedule(plan, 1, 2));
  EXPECT_EQ(std::set(list.begin(), list.end()), expected);
}

TEST(Schedule, leaves_out_what_the_machine_has_no_cpus_for) {
  const Schedule schedule = make_schedule(small_plan(), 7, 1);
  EXPECT_EQ(schedule.cells_per_block, 6);
  EXPECT_EQ(schedule.left_out, 6);
}

TEST(Schedule, longer_one_begins_with_the_shorter_one) {
  Plan plan = small_plan();
  const auto some = ids(make_schedule(plan, 7, 8));
  plan.blocks = 6;
  auto more = ids(make_schedule(plan, 7, 8));
  more.resize(some.size());
  EXPECT_EQ(some, more);
}

TEST(Schedule, ceilings_come_first_and_change_nothing_else) {
  Plan plan = small_plan();
  plan.workloads = {{"w", "/bytes/10", true}, {"cpu", "/cpu/10", true}};
  const Schedule without = make_schedule(plan, 7, 8);
  plan.ceiling = true;
  const Schedule with = make_schedule(plan, 7, 8);
  EXPECT_EQ(with.cells_per_block, without.cells_per_block);
  ASSERT_EQ(with.ceiling_cells, 6);  // of the first workload alone
  for (std::size_t i = 0; i < with.cells.size(); ++i) {
    EXPECT_EQ(with.cells[i].is_ceiling(), i < 6);
    if (i < 6) {
      EXPECT_EQ(with.cells[i].order, static_cast<int>(i));
    } else {
      EXPECT_EQ(with.cells[i].id(), without.cells[i - 6].id());
    }
  }
  EXPECT_EQ(with.cells[6].order, 6);
}

TEST(Schedule, workload_may_have_servers_clients_and_cpus_of_its_own) {
  Plan plan = small_plan();
  plan.blocks = 1;
  plan.servers.push_back(plan.servers[1]);
  plan.servers.back().label = "st-twin";
  plan.servers.back().twin_of = "st";
  plan.workloads = {{"w", "/", true}};
  plan.workloads[0].labels = {"st"};
  plan.workloads[0].clients = {5};
  const auto list = ids(make_schedule(plan, 1, 8));
  EXPECT_EQ(std::set(list.begin(), list.end()),
            (std::set<std::string>{"st/process/st/w/c5/k1/b0", "st/process/st-twin/w/c5/k1/b0"}));
  plan.workloads[0].cpus = {2};
  EXPECT_EQ(make_schedule(plan, 1, 8).cells[0].cpus, 2);
}

TEST(Schedule, time_is_spoken_in_two_units_at_most) {
  EXPECT_EQ(spoken_time(59.4), "59 s");
  EXPECT_EQ(spoken_time(150), "2 min 30 s");
  EXPECT_EQ(spoken_time(2 * 3600 + 61), "2 h 1 min");
}

TEST(Cell, file_names_are_safe_and_different) {
  Cell cell{{"mp", "fork", "a b/../c", {}}, {"w", "/", true}, 8, 1, 0, 3};
  EXPECT_EQ(cell.file_stem(), "b0-0003-a_b_.._c-w-c8-k1");
}

}  // namespace
}  // namespace archbench
