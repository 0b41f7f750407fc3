#include "harness/machine/machine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "harness/error.h"
#include "harness/machine/doctor.h"
#include "harness/os/process_tree.h"
#include "harness/os/system.h"

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

TEST(MachineTimes, work_of_any_program_is_among_that_of_all) {
  if (!read_machine_times().programs_s) GTEST_SKIP() << "not all processes can be seen";
  // A program that ends elsewhere while all are read may be missed once, or counted twice.
  constexpr int kTries = 50;
  double seen = 0;
  for (int i = 0; i < kTries && seen < 0.05; ++i) {
    const MachineTimes first = read_machine_times();
    const double begin = process_cpu_seconds(getpid()).value();
    while (process_cpu_seconds(getpid()).value() < begin + 0.05) continue;
    seen = *read_machine_times().programs_s - *first.programs_s;
  }
  EXPECT_GE(seen, 0.05);
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

TEST(KernelCounts, value_is_found_by_its_group_and_name) {
  const char* text =
      "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 22 333\n"
      "IpExt: ListenDrops\nIpExt: 4\n";
  EXPECT_EQ(paired_value(text, "TcpExt", "ListenOverflows"), 22u);
  EXPECT_EQ(paired_value(text, "TcpExt", "ListenDrops"), 333u);
  EXPECT_EQ(paired_value(text, "TcpExt", "Nothing"), std::nullopt);
  EXPECT_EQ(paired_value("", "TcpExt", "ListenDrops"), std::nullopt);
}

TEST(KernelCounts, throttling_is_read_from_both_kinds_of_control_groups) {
  EXPECT_DOUBLE_EQ(*parse_throttled("usage_usec 5\nthrottled_usec 2500000\n"), 2.5);
  EXPECT_DOUBLE_EQ(*parse_throttled("nr_periods 3\nthrottled_time 500000000\n"), 0.5);
  EXPECT_FALSE(parse_throttled("usage_usec 5\n"));
}

TEST(KernelCounts, this_machine_has_a_clock_and_a_network) {
  const KernelCounts counts = read_kernel_counts();
  EXPECT_GT(counts.clock_offset_s, 1e9);  // the wall clock counts from 1970
  EXPECT_TRUE(counts.listen_drops);
}

TEST(Established, only_the_servers_own_ends_in_that_state_are_counted) {
  const char* table =
      "  sl  local_address rem_address   st tx_queue\n"
      "   0: 0100007F:1F90 00000000:0000 0A 00000000\n"   // listens
      "   1: 0100007F:1F90 0100007F:A000 01 00000000\n"   // counted
      "   2: 0100007F:A000 0100007F:1F90 01 00000000\n"   // the client's end
      "   3: 0100007F:1F90 0100007F:A001 06 00000000\n";  // closed
  EXPECT_EQ(count_established(table, 8080), 1u);
  EXPECT_EQ(established_at("http://127.0.0.1:1"), 0u);
  EXPECT_EQ(established_at("nonsense"), std::nullopt);
}

}  // namespace
}  // namespace archbench
