// Programs that are started, watched and ended.
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "harness/error.h"
#include "harness/os/process_tree.h"
#include "harness/os/subprocess.h"
#include "harness/os/system.h"
#include "harness/servers/counters.h"
#include "harness/tests/scratch.h"

namespace archbench {
namespace {

constexpr double kPatience = 20;  // seconds: only a hung test waits that long

Program shell(const std::string& script) {
  Program program;
  program.command = {"/bin/sh", "-c", script};
  return program;
}

bool alive(pid_t pid) { return kill(pid, 0) == 0; }

TEST(Child, says_lines_and_how_it_ended) {
  Child child(shell("echo one; echo two; exit 3"));
  EXPECT_EQ(child.read_line(kPatience), "one");
  EXPECT_EQ(child.read_line(kPatience), "two");
  EXPECT_EQ(child.read_line(kPatience), std::nullopt);
  ASSERT_TRUE(child.ended(kPatience));
  EXPECT_FALSE(child.succeeded());
  EXPECT_EQ(child.how_it_ended(), "exit status 3");
}

TEST(Child, that_is_killed_takes_its_own_children_along) {
  Child child(shell("sleep 1000 & echo $!; wait"));
  const pid_t grandchild = std::stoi(child.read_line(kPatience).value_or("0"));
  ASSERT_GT(grandchild, 0);
  ASSERT_TRUE(alive(grandchild));
  child.kill();
  EXPECT_FALSE(alive(child.pid()));
  EXPECT_FALSE(alive(grandchild));
}

TEST(Child, leaves_no_orphan_when_it_ends_before_its_children) {
  Child child(shell("sleep 1000 > /dev/null & echo $!"));
  const pid_t orphan = std::stoi(child.read_line(kPatience).value_or("0"));
  ASSERT_TRUE(child.ended(kPatience));
  EXPECT_TRUE(child.succeeded());
  child.kill();
  EXPECT_FALSE(alive(orphan));
}

TEST(Child, that_does_not_exist_is_an_error_with_its_name) {
  try {
    Program program;
    program.command = {"/does/not/exist"};
    const Child child(program);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "starting /does/not/exist: No such file or directory");
  }
}

TEST(Child, runs_on_the_cpus_it_was_given) {
  Program program = shell("grep Cpus_allowed_list /proc/self/status");
  program.cpus = {allowed_cpus().back()};
  Child child(program);
  const std::string line = child.read_line(kPatience).value_or("");
  EXPECT_TRUE(line.ends_with("\t" + std::to_string(program.cpus[0]))) << line;
}

TEST(Child, dies_with_the_process_that_started_it) {
  // The starter is a forked copy of this test, and orphans come back here to be waited for.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t starter = fork();
  if (starter == 0) {
    Child child(shell("sleep 1000 & wait"));
    const pid_t pid = child.pid();
    if (write(ends[1], &pid, sizeof pid) != sizeof pid) _exit(1);
    kill(getpid(), SIGKILL);
  }
  pid_t pid = 0;
  ASSERT_EQ(read(ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  waitpid(starter, nullptr, 0);
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  kill(-pid, SIGKILL);  // the shell's own child was not promised anything
  while (waitpid(-pid, nullptr, 0) > 0 || errno == EINTR) continue;
  close(ends[0]);
  close(ends[1]);
}

TEST(ProcessTree, counts_processes_and_their_cpu_time_dead_or_alive) {
  // One child burns CPU time and is reaped, another one lives on.
  Child child(
      shell("sleep 1000 & i=0; (while [ $i -lt 100000 ]; do i=$((i+1)); done); echo done; wait"));
  ProcessTree tree(child.pid());
  const double before = tree.cpu_seconds();
  ASSERT_EQ(child.read_line(kPatience), "done");
  const Census census = tree.census();
  EXPECT_EQ(census.processes, 2);
  EXPECT_EQ(census.threads, 2);
  EXPECT_EQ(census.vehicles.size(), 2u);
  EXPECT_GT(census.rss_bytes, 0u);
  EXPECT_GT(census.voluntary_switches, 0u);
  EXPECT_GT(census.user_ticks + census.system_ticks, 0u);
  EXPECT_GT(tree.cpu_seconds(), before);
  EXPECT_GT(census.cpu_s, 0.01);
}

TEST(ProcessTree, of_a_process_that_has_gone_is_a_failure) {
  Child child(shell("exit 0"));
  const pid_t pid = child.pid();
  child.kill();
  ProcessTree tree(pid);
  EXPECT_THROW(tree.cpu_seconds(), CellFailed);
  EXPECT_THROW(tree.census(), CellFailed);
}

// A counters file with two slots in use and a third that must not be counted.
class CountersTest : public testing::Test {
 protected:
  void write_counters(std::uint64_t magic, std::uint32_t slot_size) {
    std::string bytes(std::size_t{64} * 4, '\0');
    const std::uint32_t slot_count = 3, used = 2;
    std::memcpy(&bytes[0], &magic, 8);
    std::memcpy(&bytes[8], &slot_size, 4);
    std::memcpy(&bytes[12], &slot_count, 4);
    std::memcpy(&bytes[16], &used, 4);
    for (std::uint64_t slot = 0; slot < 3; ++slot) {
      for (std::uint64_t field = 0; field < 8; ++field) {
        const std::uint64_t value = 10 * field + slot + 1;
        std::memcpy(&bytes[64 + 64 * slot + 8 * field], &value, 8);
      }
    }
    std::ofstream(path()) << bytes;
  }
  std::filesystem::path path() const { return scratch_.path() / "counters"; }
  Scratch scratch_;
};

TEST_F(CountersTest, sums_the_slots_in_use) {
  write_counters(0x31544e554f435453, 64);
  const CounterTotals totals = CounterFile(path()).read();
  EXPECT_EQ(totals.requests, 3u);
  EXPECT_EQ(totals.connections, 23u);
  EXPECT_EQ(totals.served, 43u);
  EXPECT_EQ(totals.closed, 63u);
  EXPECT_EQ(totals.bytes, 83u);
  EXPECT_EQ(totals.errors, 103u);
  EXPECT_EQ(totals.refused, 123u);
}

TEST_F(CountersTest, of_another_layout_are_refused) {
  write_counters(0x31544e554f435453, 128);
  EXPECT_THROW(CounterFile{path()}, CellFailed);
  write_counters(1, 64);
  EXPECT_THROW(CounterFile{path()}, CellFailed);
  std::ofstream(path()) << "short";
  EXPECT_THROW(CounterFile{path()}, CellFailed);
  EXPECT_THROW(CounterFile{scratch_.path() / "missing"}, CellFailed);
}

}  // namespace
}  // namespace archbench
