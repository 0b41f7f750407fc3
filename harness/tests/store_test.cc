#include "harness/campaign/store.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "harness/campaign/check.h"
#include "harness/error.h"
#include "harness/tests/scratch.h"

namespace archbench {
namespace {

using nlohmann::ordered_json;

ordered_json campaign(int seed = 1, const std::string& binary = "aa") {
  return ordered_json{
      {"schema", "archbench.campaign/1"},
      {"started_utc", "2026-01-01T00:00:00Z"},
      {"seed", seed},
      {"cells_total", 2},
      {"plan", {{"name", "x"}}},
      {"provenance", {{"servers", {{{"architecture", "mp"}, {"path", "p"}, {"sha256", binary}}}}}},
      {"environment", {{"kernel", "k"}}}};
}

ordered_json cell(const std::string& id) { return {{"cell", id}}; }

class StoreTest : public testing::Test {
 protected:
  std::filesystem::path directory() const { return scratch_.path() / "campaign"; }
  std::filesystem::path lines() const { return directory() / "cells.jsonl"; }
  std::string text() const {
    std::ostringstream out;
    out << std::ifstream(lines()).rdbuf();
    return out.str();
  }
  void begin_with(const std::string& tail) {
    { Store::open(directory(), campaign()).append(cell("a")); }
    std::ofstream(lines(), std::ios::app) << tail;
  }
  std::string refusal(const ordered_json& about) {
    try {
      Store::open(directory(), about);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  Scratch scratch_;
};

TEST_F(StoreTest, opened_again_it_knows_its_cells) {
  {
    Store store = Store::open(directory(), campaign());
    store.append(cell("a"));
    EXPECT_TRUE(store.has("a"));
  }
  Store store = Store::open(directory(), campaign());
  EXPECT_TRUE(store.has("a"));
  EXPECT_FALSE(store.has("b"));
  EXPECT_EQ(store.note(), "");
  store.append(cell("b"));
  EXPECT_EQ(text(), "{\"cell\":\"a\"}\n{\"cell\":\"b\"}\n");
}

TEST_F(StoreTest, torn_last_line_is_kept_aside_and_cut_off) {
  begin_with("{\"cell\":\"b\",\"mea");
  Store store = Store::open(directory(), campaign());
  EXPECT_NE(store.note().find("torn-line-0.txt"), std::string::npos);
  EXPECT_FALSE(store.has("b"));
  EXPECT_EQ(text(), "{\"cell\":\"a\"}\n");
  EXPECT_EQ(std::filesystem::file_size(directory() / "raw/torn-line-0.txt"), 16u);
  store.append(cell("b"));
  EXPECT_EQ(text(), "{\"cell\":\"a\"}\n{\"cell\":\"b\"}\n");
}

TEST_F(StoreTest, line_without_its_newline_is_measured_again) {
  begin_with("{\"cell\":\"b\"}");
  EXPECT_FALSE(Store::open(directory(), campaign()).has("b"));
}

TEST_F(StoreTest, damage_in_the_middle_is_refused_and_left_alone) {
  begin_with("garbage\n{\"cell\":\"c\"}\n");
  const std::string before = text();
  EXPECT_NE(refusal(campaign()).find("line 2 is not a cell"), std::string::npos);
  EXPECT_EQ(text(), before);
}

TEST_F(StoreTest, cell_that_is_there_twice_is_refused) {
  begin_with("{\"cell\":\"a\"}\n");
  EXPECT_NE(refusal(campaign()).find("a is there twice"), std::string::npos);
}

TEST_F(StoreTest, other_campaign_is_refused_with_the_difference) {
  begin_with("");
  EXPECT_NE(refusal(campaign(2)).find("it began with seed 1, not 2"), std::string::npos);
  EXPECT_NE(refusal(campaign(1, "bb")).find("built anew"), std::string::npos);
  ordered_json other = campaign();
  other["plan"]["name"] = "y";
  EXPECT_NE(refusal(other).find("the plan has changed"), std::string::npos);
  other = campaign();
  other["environment"]["kernel"] = "another";
  EXPECT_NE(refusal(other).find("the machine is another one"), std::string::npos);
  other = campaign();
  other["provenance"]["compiler"] = "another";
  EXPECT_NE(refusal(other).find("(compiler)"), std::string::npos);
  other = campaign();
  other["stopping"]["precision"] = 0.02;
  EXPECT_NE(refusal(other).find("--precision"), std::string::npos);
  EXPECT_EQ(refusal(campaign()), "");
}

TEST_F(StoreTest, campaign_that_was_precise_enough_is_not_gone_on_with) {
  {
    Store store = Store::open(directory(), campaign());
    store.append(cell("a"));
    EXPECT_FALSE(is_complete(directory(), campaign()));
    store.write_stop({{"stopped", "budget"}});
    EXPECT_FALSE(is_complete(directory(), campaign()));
    store.write_stop({{"stopped", "precision"}});
  }
  EXPECT_TRUE(is_complete(directory(), campaign()));
  EXPECT_EQ(find_unfinished(scratch_.path(), campaign()), "");
}

TEST_F(StoreTest, full_disk_keeps_lines_in_memory_and_nothing_torn) {
  Store store = Store::open(directory(), campaign());
  store.append(cell("a"));
  const std::string before = text();
  // The disk is "full" 8 bytes behind what is there: a write stops in the middle of the line.
  struct rlimit old {};
  getrlimit(RLIMIT_FSIZE, &old);
  signal(SIGXFSZ, SIG_IGN);
  const rlimit full{before.size() + 8, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &full);
  store.append(cell("b"));
  store.append(cell("c"));
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(store.unwritten(), 2u);
  EXPECT_NE(store.trouble().find("cells.jsonl"), std::string::npos);
  EXPECT_EQ(text(), before);
  EXPECT_TRUE(store.has("c"));
  EXPECT_TRUE(store.flush());
  EXPECT_EQ(store.unwritten(), 0u);
  EXPECT_EQ(text(), before + "{\"cell\":\"b\"}\n{\"cell\":\"c\"}\n");
}

TEST_F(StoreTest, packed_campaign_is_read_and_not_added_to) {
  Store::open(directory(), campaign()).append(cell("a"));
  const std::string pack = "xz " + lines().string();
  ASSERT_EQ(system(pack.c_str()), 0);
  ASSERT_EQ(read_cells(directory()).size(), 1u);
  EXPECT_EQ(read_cells(directory())[0]["cell"], "a");
  EXPECT_NE(refusal(campaign()).find("xz -d"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(lines()));
  EXPECT_FALSE(reports_set_aside(directory()));
  std::filesystem::remove_all(directory() / "raw");
  EXPECT_TRUE(reports_set_aside(directory()));
  std::ofstream(lines().string() + ".xz") << "no archive";
  EXPECT_THROW(read_cells(directory()), Error);
}

TEST_F(StoreTest, cells_without_a_campaign_are_refused) {
  begin_with("");
  std::filesystem::remove(directory() / "campaign.json");
  EXPECT_NE(refusal(campaign()).find("no campaign.json"), std::string::npos);
}

TEST_F(StoreTest, second_archbench_is_kept_out_until_the_first_ends) {
  {
    const Store first = Store::open(directory(), campaign());
    EXPECT_NE(refusal(campaign()).find("in use by another archbench"), std::string::npos);
  }
  EXPECT_EQ(refusal(campaign()), "");
}

TEST_F(StoreTest, text_that_is_not_utf8_does_not_stop_a_campaign) {
  Store store = Store::open(directory(), campaign());
  store.append({{"cell", "a"}, {"reason", "the server said \xff\xfe"}});
  EXPECT_EQ(read_cells(directory()).size(), 1u);
}

TEST_F(StoreTest, newest_unfinished_campaign_of_the_same_plan_is_found) {
  const auto make = [&](const std::string& name, ordered_json about, const char* started,
                        int cells) {
    about["started_utc"] = started;
    Store store = Store::open(scratch_.path() / name, about);
    for (int i = 0; i < cells; ++i) store.append(cell(std::to_string(i)));
  };
  EXPECT_EQ(find_unfinished(scratch_.path(), campaign()), "");
  make("old", campaign(), "2026-01-01T00:00:00Z", 1);
  make("new", campaign(), "2026-01-02T00:00:00Z", 1);
  make("complete", campaign(), "2026-01-03T00:00:00Z", 2);
  make("other-seed", campaign(2), "2026-01-04T00:00:00Z", 1);
  std::filesystem::create_directory(scratch_.path() / "no-campaign");
  EXPECT_EQ(find_unfinished(scratch_.path(), campaign()), scratch_.path() / "new");
}

}  // namespace
}  // namespace archbench
