// The command line, as a model sees it. (What a user sees of it: test_servers_command_line.py.)
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "baselines/common/options.h"

namespace baselines {
namespace {

using namespace std::chrono_literals;

void serve_nothing(Server&) {}

constexpr std::array kModels = {Model{"first", "the default", serve_nothing},
                                Model{"second", "another", serve_nothing}};
constexpr std::array kEvents = {"epoll", "poll"};

Options parse(std::vector<const char*> arguments, const Program& program = {"A server.", kModels}) {
  arguments.insert(arguments.begin(), "/somewhere/httpd_test");
  return parse_options(static_cast<int>(arguments.size()), arguments.data(), program);
}

Answered answered(const std::vector<const char*>& arguments) {
  try {
    parse(arguments);
  } catch (const Answered& answer) {
    return answer;
  }
  return {-1, "nothing was thrown"};
}

TEST(Options, nothing_given_means_the_documented_defaults) {
  const Options options = parse({});
  EXPECT_EQ(options.listen(), "127.0.0.1:8080");
  EXPECT_EQ(options.model, &kModels[0]);
  EXPECT_EQ(options.event, "");
  EXPECT_EQ(options.processes(), 1);
  EXPECT_EQ(options.workers, 0);
  EXPECT_EQ(options.backlog, 4096);
  EXPECT_EQ(options.idle_timeout, 60s);
  EXPECT_EQ(options.max_connections, 0u);
  EXPECT_EQ(options.docroot, "");
  EXPECT_EQ(options.counters, "");
}

TEST(Options, everything_given_arrives) {
  const Options options =
      parse({"--listen",       "0.0.0.0:0", "--model",           "second",  "--cpus",     "3",
             "--workers",      "70",        "--backlog",         "9",       "--docroot",  "/srv",
             "--idle-timeout", "2.5",       "--max-connections", "12",      "--counters", "/tmp/c",
             "--disk-file",    "/d",        "--origin",          "[::1]:81"});
  EXPECT_EQ(options.disk_file, "/d");
  EXPECT_EQ(options.origin_host, "::1");
  EXPECT_EQ(options.origin_port, 81);
  EXPECT_EQ(options.listen(), "0.0.0.0:0");
  EXPECT_EQ(options.model, &kModels[1]);
  EXPECT_EQ(options.cpus, 3);
  EXPECT_EQ(options.processes(), 3);
  EXPECT_EQ(options.workers, 70);
  EXPECT_EQ(options.backlog, 9);
  EXPECT_EQ(options.docroot, "/srv");
  EXPECT_EQ(options.idle_timeout, 2500ms);
  EXPECT_EQ(options.max_connections, 12u);
  EXPECT_EQ(options.counters, "/tmp/c");
}

TEST(Options, an_option_given_twice_counts_as_given_last) {
  EXPECT_EQ(parse({"--cpus", "1", "--cpus", "2"}).cpus, 2);
}

TEST(Options, ipv6_addresses_stand_in_brackets) {
  const Options options = parse({"--listen", "[::1]:80"});
  EXPECT_EQ(options.host, "::1");
  EXPECT_EQ(options.port, 80);
  EXPECT_EQ(options.listen(), "[::1]:80");
  EXPECT_EQ(answered({"--listen", "::1:80"}).exit_code, 2);
}

TEST(Options, numbers_outside_their_range_are_named) {
  for (const char* text : {"0", "-1", "1025", "1x", "", "1e3", "18446744073709551617"}) {
    const Answered answer = answered({"--cpus", text});
    EXPECT_EQ(answer.exit_code, 2);
    EXPECT_EQ(answer.text, std::string("--cpus '") + text +
                               "': expected a whole number from 1 to 1024, for example --cpus 2");
  }
}

TEST(Options, timeouts_that_make_no_sense_are_named) {
  for (const char* text : {"0", "0.0001", "-1", "inf", "nan", "90000", "1s"}) {
    EXPECT_EQ(answered({"--idle-timeout", text}).text,
              std::string("--idle-timeout '") + text +
                  "': expected seconds from 0.001 to 86400, for example --idle-timeout 2.5");
  }
}

TEST(Options, an_event_can_be_chosen_only_where_there_are_several) {
  const Program with_events{"A server.", kModels, kEvents};
  EXPECT_EQ(parse({}, with_events).event, "epoll");
  EXPECT_EQ(parse({"--event", "poll"}, with_events).event, "poll");
  EXPECT_THROW(parse({"--event", "kqueue"}, with_events), Answered);
  EXPECT_EQ(answered({"--event", "poll"}).exit_code, 2);
}

TEST(Options, a_way_to_accept_can_be_chosen_only_where_there_are_several) {
  constexpr std::array kAccepts = {"herd", "lock"};
  const Program with_accepts{.sentence = "A server.", .models = kModels, .accepts = kAccepts};
  EXPECT_EQ(parse({}, with_accepts).accept, "herd");
  EXPECT_EQ(parse({"--accept", "lock"}, with_accepts).accept, "lock");
  EXPECT_THROW(parse({"--accept", "flock"}, with_accepts), Answered);
  EXPECT_EQ(answered({"--accept", "lock"}).exit_code, 2);
}

TEST(Options, help_has_a_line_for_each_model) {
  const Answered answer = answered({"--help"});
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_NE(answer.text.find("\n  first      the default\n"), std::string::npos);
  EXPECT_NE(answer.text.find("\n  second     another\n"), std::string::npos);
}

}  // namespace
}  // namespace baselines
