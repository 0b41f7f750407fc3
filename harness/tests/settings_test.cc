#include "harness/machine/settings.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "harness/error.h"
#include "harness/os/system.h"
#include "harness/tests/scratch.h"

namespace archbench {
namespace {

class SettingsTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& value) const {
    std::ofstream(scratch_.path() / name) << value;
  }
  std::string value(const std::string& name) const {
    return read_value(scratch_.path() / name).value_or("?");
  }
  Finding finding(const std::string& name, const std::string& wanted) const {
    Finding finding{name, Health::warn, "", "", "do it by hand"};
    finding.file = scratch_.path() / name;
    finding.value = wanted;
    return finding;
  }
  Settings settings() const { return Settings(scratch_.path() / "state.json"); }
  Scratch scratch_;
};

TEST_F(SettingsTest, are_changed_and_put_back) {
  write("somaxconn", "128\n");
  Finding nothing{"governor", Health::ok, "", "", ""};
  EXPECT_EQ(settings().apply({finding("somaxconn", "4096"), nothing}, 0).size(), 1u);
  EXPECT_EQ(value("somaxconn"), "4096");
  EXPECT_TRUE(settings().changed());
  settings().restore();
  EXPECT_EQ(value("somaxconn"), "128");
  EXPECT_FALSE(settings().changed());
}

TEST_F(SettingsTest, of_an_owner_that_was_killed_are_put_back_by_the_next_start) {
  write("a", "1");
  settings().apply({finding("a", "2")}, getpid());
  EXPECT_TRUE(settings().restore_if_abandoned().empty()) << "the owner lives";
  const pid_t dead = fork();
  if (dead == 0) _exit(0);
  // Not reaped yet it would still have its number.
  while (kill(dead, 0) == 0 && waitpid(dead, nullptr, 0) < 0) continue;
  settings().restore();
  settings().apply({finding("a", "2")}, dead);
  EXPECT_EQ(settings().restore_if_abandoned().size(), 1u);
  EXPECT_EQ(value("a"), "1");
}

TEST_F(SettingsTest, of_an_owner_that_is_killed_are_put_back_by_its_guard) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // the guard comes here to be waited for
  write("a", "1");
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t owner = fork();
  if (owner == 0) {
    settings().apply({finding("a", "2")}, getpid());
    settings().guard();
    if (::write(ready[1], "!", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(value("a"), "2");
  kill(owner, SIGKILL);
  while (waitpid(-1, nullptr, 0) > 0 || errno == EINTR) continue;
  EXPECT_EQ(value("a"), "1");
  EXPECT_FALSE(settings().changed());
  close(ready[0]);
  close(ready[1]);
}

TEST_F(SettingsTest, nobody_guards_what_was_not_changed) {
  settings().guard();
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "no process was started";
}

TEST_F(SettingsTest, changed_twice_end_with_their_first_value) {
  write("a", "1");
  settings().apply({finding("a", "2")}, 0);
  settings().apply({finding("a", "3")}, 0);
  settings().restore();
  EXPECT_EQ(value("a"), "1");
}

TEST_F(SettingsTest, changed_by_somebody_else_meanwhile_are_left_alone) {
  write("a", "1");
  settings().apply({finding("a", "2")}, 0);
  write("a", "77");
  const auto said = settings().restore();
  EXPECT_EQ(value("a"), "77");
  EXPECT_NE(said.at(0).find("somebody else"), std::string::npos);
}

TEST_F(SettingsTest, choice_in_brackets_is_the_value) {
  write("thp", "always [madvise] never");
  settings().apply({finding("thp", "never")}, 0);
  settings().restore();
  EXPECT_EQ(value("thp"), "madvise");
}

TEST_F(SettingsTest, that_cannot_be_changed_are_said_and_not_remembered) {
  const auto said = settings().apply({finding("missing/file", "1")}, 0);
  EXPECT_NE(said.at(0).find("do it by hand"), std::string::npos);
  EXPECT_FALSE(settings().changed());
}

TEST_F(SettingsTest, nothing_is_changed_where_the_old_values_cannot_be_kept) {
  write("a", "1");
  Settings nowhere(scratch_.path() / "missing" / "state.json");
  EXPECT_THROW(nowhere.apply({finding("a", "2")}, 0), Error);
  EXPECT_EQ(value("a"), "1");
}

TEST_F(SettingsTest, state_file_of_somebody_else_is_refused) {
  write("state.json", "[]");
  EXPECT_THROW(settings().restore(), Error);
}

}  // namespace
}  // namespace archbench
