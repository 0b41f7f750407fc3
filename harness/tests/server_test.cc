// Command lines of servers, the files they are given, and programs that are not ours.
#include "harness/servers/server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "harness/error.h"
#include "harness/os/system.h"
#include "harness/servers/files.h"
#include "harness/servers/probe.h"
#include "harness/servers/syscalls.h"
#include "harness/tests/scratch.h"

namespace archbench {
namespace {

using Words = std::vector<std::string>;

Cell cell_of(ServerSpec server) { return {std::move(server), {"w", "/a", true}, 10, 2, 0, 0}; }

ServerSpec custom(Words command, const std::string& ready, const std::string& url) {
  ServerSpec server{"custom", "custom", "mine", {}};
  server.command = std::move(command);
  server.ready = ready;
  server.url = url;
  return server;
}

TEST(ServerCommand, holds_what_the_plan_and_the_cell_say) {
  ServerSpec server{"edsm", "epoll", "x", {"--event", "poll"}};
  server.program = "httpd_edsm";
  Cell cell = cell_of(server);
  cell.workload.server_options = {"--disk-file", "{files}/d"};
  ServerStart how;
  how.files = "/f";
  how.origin = "http://127.0.0.1:9";
  const Words words = server_command(cell, "/bin", "/c", how, 0);
  EXPECT_EQ(words, (Words{"/bin/httpd_edsm", "--listen", "127.0.0.1:0", "--cpus", "2", "--backlog",
                          "4096", "--counters", "/c", "--model", "epoll", "--docroot", "/f",
                          "--origin", "127.0.0.1:9", "--event", "poll", "--disk-file", "/f/d"}));
}

TEST(ServerCommand, placeholders_of_a_custom_server_are_filled_in) {
  const Words words =
      server_command(cell_of(custom({"mine", "-p{port}", "{cpus}/{clients}", "{other}"}, "", "")),
                     "/bin", "/c", {}, 77);
  EXPECT_EQ(words, (Words{"mine", "-p77", "2/10", "{other}"}));
}

class CustomServer : public testing::Test {
 protected:
  std::string start(const ServerSpec& spec) {
    ServerStart how;
    how.raw_directory = scratch_.path();
    how.file_stem = "x";
    return server_.start(cell_of(spec), how);
  }
  std::string failure(const ServerSpec& spec) {
    try {
      start(spec);
    } catch (const CellFailed& failed) {
      return failed.what();
    }
    return "";
  }
  Words python(const std::string& script) {
    return {"/usr/bin/python3", "-u", "-c", script, "{port}"};
  }

  Scratch scratch_;
  LocalServer server_{"/nowhere"};
};

TEST_F(CustomServer, is_ready_when_its_output_says_so_and_where) {
  // It listens on another port than it was given, and says which, on stderr.
  const std::string url =
      start(custom(python("import socket, sys, time\n"
                          "s = socket.create_server(('127.0.0.1', 0))\n"
                          "print('up on', s.getsockname()[1], file=sys.stderr)\n"
                          "time.sleep(60)"),
                   "up on ([0-9]+)", "http://127.0.0.1:{1}"));
  EXPECT_TRUE(can_connect(url)) << url;
  EXPECT_TRUE(server_.running());
  EXPECT_FALSE(server_.counters());
  EXPECT_EQ(server_.program_sha256().size(), 64u);
  EXPECT_GT(server_.census().processes, 0);
  EXPECT_TRUE(server_.stop()) << "SIGTERM may kill it";
  EXPECT_FALSE(can_connect(url));
}

TEST_F(CustomServer, without_a_pattern_is_ready_when_it_can_be_reached) {
  EXPECT_TRUE(
      can_connect(start(custom(python("import socket, sys, time\n"
                                      "s = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
                                      "time.sleep(60)"),
                               "", "http://127.0.0.1:{port}"))));
}

TEST_F(CustomServer, that_ends_too_early_has_its_last_words_in_the_reason) {
  const std::string why =
      failure(custom(python("import sys; sys.exit('no licence')"), "never", "http://127.0.0.1:1"));
  EXPECT_NE(why.find("exit status 1"), std::string::npos) << why;
  EXPECT_NE(why.find("no licence"), std::string::npos) << why;
}

TEST_F(CustomServer, that_never_gets_ready_is_a_failure_and_ended) {
  LocalServer hasty("/nowhere", 1);
  ServerStart how;
  how.raw_directory = scratch_.path();
  how.file_stem = "x";
  for (const char* ready : {"never", ""}) {
    const Words mute = python("import sys, time; print('wait', file=sys.stderr); time.sleep(60)");
    try {
      hasty.start(cell_of(custom(mute, ready, "http://127.0.0.1:{port}")), how);
      FAIL() << "it is not ready";
    } catch (const CellFailed& failed) {
      EXPECT_NE(std::string(failed.what()).find("not ready within 1 s"), std::string::npos);
    }
    hasty.abandon();
    EXPECT_FALSE(hasty.running());
  }
}

TEST_F(CustomServer, that_does_not_exist_is_a_failure_with_its_name) {
  EXPECT_NE(failure(custom({"/does/not/exist"}, "", "http://127.0.0.1:1")).find("/does/not/exist"),
            std::string::npos);
}

TEST(FileHashes, follow_a_file_that_is_replaced) {
  const Scratch scratch;
  const auto file = scratch.path() / "program";
  FileHashes hashes;
  EXPECT_EQ(hashes.of(file), "");
  std::ofstream(file) << "one";
  const std::string first = hashes.of(file);
  EXPECT_EQ(first.size(), 64u);
  EXPECT_EQ(hashes.of(file), first);
  std::ofstream(file) << "another";
  EXPECT_NE(hashes.of(file), first);
}

TEST(Files, are_made_once_with_the_size_they_were_given) {
  const Scratch scratch;
  make_files({{"a/b", 100'000}, {"empty", 0}}, scratch.path(), {});
  const std::string text = read_file(scratch.path() / "a/b").value_or("");
  EXPECT_EQ(text.size(), 100'000u);
  EXPECT_TRUE(std::filesystem::exists(scratch.path() / "empty"));
  const auto time = std::filesystem::last_write_time(scratch.path() / "a/b");
  make_files({{"a/b", 100'000}}, scratch.path(), {});
  EXPECT_EQ(std::filesystem::last_write_time(scratch.path() / "a/b"), time);
  std::ofstream(scratch.path() / "file") << "in the way";
  EXPECT_THROW(make_files({{"file/x", 1}}, scratch.path(), {}), Error);
  EXPECT_THROW(make_files({{"disk", 1 << 20, true}}, scratch.path(), "/bin/false"), Error);
}

TEST(Origin, that_is_not_there_fails_the_cell) {
  Origin origin("/does/not/exist");
  EXPECT_THROW(origin.url_on({0}), CellFailed);
  EXPECT_EQ(origin.cpu_s(), 0);
}

TEST(Syscalls, are_counted_where_the_kernel_allows_it) {
  std::string why;
  const auto count = count_syscalls({getpid()}, why);
  if (!count) {
    EXPECT_FALSE(why.empty());
    return;
  }
  const auto before = count->read();
  for (int i = 0; i < 1000; ++i) getppid();
  const auto calls = count->read() - before;
  EXPECT_GE(calls, 1000u);
  EXPECT_LE(calls, 1010u);
}

}  // namespace
}  // namespace archbench
