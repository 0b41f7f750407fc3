#include "harness/plan.h"

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
            "label, args");
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

}  // namespace
}  // namespace archbench
