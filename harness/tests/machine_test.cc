#include "harness/machine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/doctor.h"
#include "harness/error.h"
#include "harness/system.h"

namespace archbench {
namespace {

//                             user nice system idle iowait irq softirq steal
constexpr auto kStat = "cpu  100 10 200 5000 7 3 40 60 0 0\ncpu0 1 2 3\n";

TEST(MachineTimes, interrupts_count_as_work_unless_they_have_books_of_their_own) {
  const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  EXPECT_DOUBLE_EQ(parse_machine_times(kStat, false).busy_s, 353 * tick);
  EXPECT_DOUBLE_EQ(parse_machine_times(kStat, true).busy_s, 310 * tick);
  EXPECT_DOUBLE_EQ(parse_machine_times(kStat, true).steal_s, 60 * tick);
  EXPECT_DOUBLE_EQ(parse_machine_times(kStat, true).total_s, 5420 * tick);
}

TEST(MachineTimes, other_text_is_refused) {
  EXPECT_THROW(parse_machine_times("", false), Error);
  EXPECT_THROW(parse_machine_times("cpu  1 2 three\n", false), Error);
}

TEST(MachineTimes, of_this_machine_only_grow) {
  const MachineTimes first = read_machine_times();
  const MachineTimes second = read_machine_times();
  EXPECT_GT(first.total_s, 0);
  EXPECT_GE(second.total_s, first.total_s);
}

TEST(CpuList, runs_are_shortened) {
  EXPECT_EQ(cpu_list({0, 1, 2, 5, 7, 8}), "0-2,5,7-8");
  EXPECT_EQ(cpu_list({}), "");
}

TEST(Doctor, only_what_blocks_stops_a_campaign) {
  Finding finding{"load", Health::warn, "9.0", "noise", "wait"};
  EXPECT_FALSE(any_block({finding}));
  finding.health = Health::block;
  EXPECT_TRUE(any_block({finding}));
}

TEST(Doctor, trouble_comes_with_its_reason_and_a_remedy) {
  const std::vector<Finding> findings{
      {"load", Health::ok, "0.0", "noise", "wait"},
      {"wrk", Health::block, "not there", "it drives", "install it"}};
  const std::string text = to_text(findings, true);
  EXPECT_EQ(text.find("load"), std::string::npos);
  for (const char* part : {"block", "wrk", "not there", "it drives", "install it"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace archbench
