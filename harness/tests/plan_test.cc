#include "harness/plan/plan.h"

#include <gtest/gtest.h>

#include <functional>

#include "harness/error.h"
#include "harness/version.h"

namespace archbench {
namespace {

using nlohmann::json;

json good_plan() {
  return json::parse(R"({
    "schema": "archbench.plan/1", "name": "x", "question": "Why?",
    "servers": [{"architecture": "mp", "model": "fork"}],
    "workloads": [{"name": "w", "path": "/bytes/1"}],
    "clients": [1, 8, 64], "cpus": [1], "seconds": 2, "blocks": 3, "seed": 5})");
}

// What is said about a good plan after `spoil` has changed it.
std::string complaint(const std::function<void(json&)>& spoil) {
  json plan = good_plan();
  spoil(plan);
  try {
    parse_plan(plan.dump(), "plans/x.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Plan, defaults_are_filled_in) {
  const Plan plan = parse_plan(good_plan().dump(), "x");
  EXPECT_EQ(plan.warmup_seconds, 1);
  EXPECT_TRUE(plan.workloads[0].keepalive);
  EXPECT_EQ(plan.servers[0].label, "mp-fork");
  EXPECT_EQ(plan.as_given, good_plan());
}

TEST(Plan, wrong_type_names_its_place_and_value) {
  EXPECT_EQ(complaint([](json& plan) { plan["clients"][2] = "many"; }),
            "plans/x.json: clients[2]: expected a positive integer, got \"many\"");
  EXPECT_EQ(complaint([](json& plan) { plan["workloads"][0]["keepalive"] = 1; }),
            "plans/x.json: workloads[0].keepalive: expected true or false, got 1");
  EXPECT_EQ(complaint([](json& plan) { plan["seconds"] = 0; }),
            "plans/x.json: seconds: expected seconds, more than 0, up to 86400, got 0");
}

TEST(Plan, numbers_that_no_machine_has_are_refused) {
  for (const json& value : {json(0), json(-1), json(1.5), json(18446744073709551615u)}) {
    EXPECT_NE(complaint([&](json& plan) { plan["clients"][0] = value; }), "") << value;
  }
}

TEST(Plan, unknown_field_is_an_error) {
  EXPECT_EQ(complaint([](json& plan) { plan["servers"][0]["modle"] = "fork"; }),
            "plans/x.json: servers[0]: unknown field \"modle\"; known are architecture, model, "
            "label, options, binary, command, ready, url, twin");
}

TEST(Plan, missing_field_is_named) {
  EXPECT_EQ(complaint([](json& plan) { plan.erase("seed"); }),
            "plans/x.json: the field \"seed\" is missing");
}

TEST(Plan, cells_cannot_be_there_twice) {
  EXPECT_EQ(complaint([](json& plan) {
              plan["clients"] = {8, 8};
            }),
            "plans/x.json: clients[1]: 8 is there twice");
  EXPECT_NE(complaint([](json& plan) { plan["servers"].push_back(plan["servers"][0]); }), "");
  EXPECT_NE(complaint([](json& plan) { plan["workloads"].push_back(plan["workloads"][0]); }), "");
}

TEST(Plan, twins_need_labels_of_their_own) {
  EXPECT_EQ(
      complaint([](json& plan) {
        plan["servers"].push_back({{"architecture", "mp"}, {"model", "fork"}, {"label", "b"}});
      }),
      "");
}

TEST(Plan, path_that_would_break_the_request_is_refused) {
  EXPECT_NE(complaint([](json& plan) { plan["workloads"][0]["path"] = "/a b"; }), "");
  EXPECT_NE(complaint([](json& plan) { plan["workloads"][0]["path"] = "/a\r\nX: y"; }), "");
}

TEST(Plan, syntax_error_has_line_and_column) {
  try {
    parse_plan("{\n  \"name\": oops\n}", "plans/x.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("plans/x.json: line 2, column 11: not JSON"), 0u)
        << error.what();
  }
}

TEST(Plan, those_that_come_with_archbench_are_good) {
  for (const std::string name : {"smoke", "quick", "full"}) {
    const auto plans = std::filesystem::path(kSourceDirectory) / "plans";
    EXPECT_EQ(load_plan(find_plan(name, plans)).name, name);
  }
}

TEST(Plan, twin_is_the_same_server_under_another_label) {
  json plan = good_plan();
  plan["servers"][0]["twin"] = true;
  const auto servers = parse_plan(plan.dump(), "x").servers;
  ASSERT_EQ(servers.size(), 2u);
  EXPECT_EQ(servers[1].label, "mp-fork-twin");
  EXPECT_EQ(servers[1].twin_of, "mp-fork");
  EXPECT_EQ(servers[1].program, "httpd_mp");
}

TEST(Plan, peers_are_programs_of_their_own_or_named_ones) {
  json plan = good_plan();
  plan["servers"] = json::parse(R"([
    {"architecture": "peer", "model": "pth"},
    {"architecture": "peer", "binary": "httpd_program", "model": "nginx", "options": ["--x"]}])");
  const auto servers = parse_plan(plan.dump(), "x").servers;
  EXPECT_EQ(servers[0].program, "httpd_peer_pth");
  EXPECT_FALSE(servers[0].takes_model);
  EXPECT_EQ(servers[1].program, "httpd_program");
  EXPECT_TRUE(servers[1].takes_model);
  EXPECT_EQ(servers[1].options, std::vector<std::string>{"--x"});
}

TEST(Plan, any_server_is_a_command_a_pattern_and_a_url) {
  json plan = good_plan();
  plan["servers"] = json::parse(R"json([{"architecture": "custom", "label": "mine",
    "command": ["./mine", "{port}"], "ready": "on port ([0-9]+)", "url": "http://127.0.0.1:{1}"}])json");
  const auto server = parse_plan(plan.dump(), "x").servers[0];
  EXPECT_TRUE(server.custom());
  EXPECT_EQ(server.model, "custom");
  const auto spoiled = [&](const std::function<void(json&)>& spoil) {
    return complaint([&](json& other) {
      other["servers"] = plan["servers"];
      spoil(other["servers"][0]);
    });
  };
  EXPECT_NE(spoiled([](json& s) { s.erase("command"); }).find("needs its \"command\""),
            std::string::npos);
  EXPECT_NE(spoiled([](json& s) { s["ready"] = "("; }).find("not a regular expression"),
            std::string::npos);
  EXPECT_NE(spoiled([](json& s) { s.erase("url"); }).find("\"url\" is missing"), std::string::npos);
  EXPECT_NE(spoiled([](json& s) { s["url"] = "127.0.0.1"; }).find("begins with http://"),
            std::string::npos);
  EXPECT_NE(spoiled([](json& s) {
              s["architecture"] = "st";
              s["model"] = "m";
            }).find("custom server"),
            std::string::npos);
}

TEST(Plan, workload_draws_from_a_mix_or_offers_rates) {
  json plan = good_plan();
  plan["generator"] = "stload";
  plan["workloads"] = json::parse(R"([
    {"name": "m", "mix": [{"path": "/a", "weight": 1}, {"path": "/b", "weight": 0.5}]},
    {"name": "o", "path": "/a", "rates": [1000, 2500]}])");
  const auto workloads = parse_plan(plan.dump(), "x").workloads;
  ASSERT_EQ(workloads.size(), 3u);
  EXPECT_EQ(workloads[0].path, "/a");
  EXPECT_EQ(workloads[0].mix[1].weight, 0.5);
  EXPECT_EQ(workloads[2].name, "o-r2500");
  EXPECT_EQ(workloads[2].rate, 2500);
  EXPECT_NE(complaint([&](json& p) {
              p["workloads"] = plan["workloads"];
              p["generator"] = "wrk";
            }).find("wrk cannot offer a rate"),
            std::string::npos);
  EXPECT_NE(complaint([&](json& p) { p["generator"] = "siege"; }).find("expected wrk, stload"),
            std::string::npos);
  EXPECT_NE(complaint([&](json& p) {
              p["workloads"] = json::array({plan["workloads"][0]});
              p["generator"] = "ab";
            }).find("one path only"),
            std::string::npos);
}

TEST(Plan, names_in_a_workload_must_be_known) {
  EXPECT_NE(complaint([](json& plan) {
              plan["workloads"][0]["servers"] = {"nobody"};
            }).find("no server has the label \"nobody\""),
            std::string::npos);
  EXPECT_NE(
      complaint([](json& plan) { plan["servers"][0]["label"] = "ceiling"; }).find("used twice"),
      std::string::npos);
}

TEST(Plan, files_stay_below_their_folder) {
  json plan = good_plan();
  plan["files"] = json::parse(R"([{"path": "a/b", "bytes": 7}])");
  EXPECT_EQ(parse_plan(plan.dump(), "x").files[0].bytes, 7u);
  for (const char* bad : {"/etc/passwd", "../x"}) {
    EXPECT_NE(complaint([&](json& p) { p["files"] = {{{"path", bad}, {"bytes", 1}}}; }), "") << bad;
  }
}

}  // namespace
}  // namespace archbench
