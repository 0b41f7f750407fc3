#include "harness/stload/mix.h"

#include <gtest/gtest.h>

#include <map>

#include "harness/stload/error.h"

namespace stload {
namespace {

std::string complaint(const std::string& text) {
  try {
    parse_mix(text, "mix.json");
  } catch (const Fatal& error) {
    return error.what();
  }
  return "none";
}

TEST(Mix, a_path_without_weight_weighs_one) {
  const auto paths = parse_mix(R"({"paths": [{"path": "/a"}, {"path": "/b", "weight": 3}]})", "");
  ASSERT_EQ(paths.size(), 2u);
  EXPECT_EQ(paths[0].path, "/a");
  EXPECT_EQ(paths[0].weight, 1);
  EXPECT_EQ(paths[1].weight, 3);
}

TEST(Mix, variables_make_all_combinations_and_share_the_weight_out) {
  const auto paths = parse_mix(R"({"paths": [{"path": "/d{dir}/f{file}", "weight": 35,
      "vary": {"dir": {"count": 4, "zipf": 1}, "file": {"from": 1, "count": 9}}}]})",
                               "");
  ASSERT_EQ(paths.size(), 36u);
  std::map<std::string, double> weights;
  double sum = 0;
  for (const auto& [path, weight] : paths) weights[path] = weight, sum += weight;
  EXPECT_NEAR(sum, 35, 1e-9);
  // 1 + 1/2 + 1/3 + 1/4 = 25/12: the first directory has 12/25 of all, the last one 3/25.
  EXPECT_NEAR(weights["/d0/f1"], 35 * 12 / 25.0 / 9, 1e-9);
  EXPECT_NEAR(weights["/d3/f9"], 35 * 3 / 25.0 / 9, 1e-9);
}

TEST(Mix, a_variable_may_occur_twice_in_a_path) {
  const auto paths =
      parse_mix(R"({"paths": [{"path": "/{n}/{n}", "vary": {"n": {"from": 7, "count": 1}}}]})", "");
  EXPECT_EQ(paths.at(0).path, "/7/7");
}

TEST(Mix, complaints_name_the_place) {
  EXPECT_TRUE(complaint("{").starts_with("mix.json is not JSON: "));
  EXPECT_EQ(complaint("[]"),
            "mix.json: an object with \"paths\", a list that is not empty, is expected");
  EXPECT_EQ(complaint(R"({"paths": [{"path": "a"}]})"),
            "mix.json: /paths/0/path: a text that begins with '/' is expected");
  EXPECT_EQ(complaint(R"({"paths": [{"path": "/a", "wait": 1}]})"),
            "mix.json: /paths/0/wait: is not known; there are: path, weight, vary");
  EXPECT_EQ(complaint(R"({"paths": [{"path": "/a", "weight": 0}]})"),
            "mix.json: /paths/0/weight: 0: a number from 1e-12 to 1e+12 is expected");
  EXPECT_EQ(complaint(R"({"paths": [{"path": "/{a}"}]})"),
            "mix.json: /paths/0/path: \"/{a}\" still has a brace, or white space, in it");
  EXPECT_EQ(complaint(R"({"paths": [{"path": "/a", "vary": {"b": {"count": 2}}}]})"),
            "mix.json: /paths/0/vary/b: the path has no {b}");
  EXPECT_EQ(complaint(R"({"paths": [{"path": "/{b}", "vary": {"b": {"count": 1.5}}}]})"),
            "mix.json: /paths/0/vary/b/count: 1.5: a whole number is expected");
  EXPECT_EQ(complaint(R"({"paths": [{"path": "/{a}{b}",
                "vary": {"a": {"count": 1001}, "b": {"count": 1000}}}]})"),
            "mix.json: /paths/0: there are more than 1,000,000 paths");
}

TEST(Picker, picks_by_weight) {
  const std::vector<WeightedPath> paths = {{"/0", 35}, {"/1", 50}, {"/2", 14}, {"/3", 1}};
  const Picker picker(paths);
  std::mt19937_64 random(1);
  std::vector<int> picked(paths.size());
  constexpr int kTimes = 1'000'000;
  for (int i = 0; i < kTimes; ++i) ++picked[picker.pick(random)];
  for (std::size_t i = 0; i < paths.size(); ++i) {
    // Six standard errors of the largest share are 0.3 %.
    EXPECT_NEAR(picked[i], paths[i].weight * kTimes / 100, 0.003 * kTimes) << i;
  }
}

TEST(Picker, a_path_that_weighs_next_to_nothing_is_not_lost_and_not_preferred) {
  std::vector<WeightedPath> paths(1000, {"/", 1e-6});
  paths[500].weight = 1e6;
  const Picker picker(paths);
  std::mt19937_64 random(1);
  for (int i = 0; i < 10'000; ++i) EXPECT_EQ(picker.pick(random), 500u);
}

}  // namespace
}  // namespace stload
