// Slots of the counters: lent, given back, never reset.
#include <gtest/gtest.h>

#include <set>

#include "baselines/common/counters_file.h"

namespace baselines {
namespace {

TEST(Counters, each_vehicle_has_a_line_of_its_own) {
  CountersFile counters("");
  std::set<const void*> lines;
  for (int i = 0; i < 100; ++i) lines.insert(counters.take());
  EXPECT_EQ(lines.size(), 100u);
  for (const void* line : lines) EXPECT_EQ(reinterpret_cast<std::uintptr_t>(line) % 64, 0u);
}

TEST(Counters, the_slot_given_back_last_is_lent_first_and_keeps_its_counts) {
  CountersFile counters("");
  CounterSlot& first = *counters.take();
  CounterSlot& second = *counters.take();
  first.requests = 3;
  second.requests = 4;
  counters.give_back(first);
  counters.give_back(second);
  EXPECT_EQ(counters.take(), &second);
  EXPECT_EQ(counters.take(), &first);
  EXPECT_EQ(first.requests, 3u);
  EXPECT_EQ(counters.totals().requests, 7u);
}

TEST(Counters, connections_of_a_vehicle_that_ended_are_closed) {
  CountersFile counters("");
  CounterSlot& slot = *counters.take();
  slot.connections = 5;
  slot.closed = 2;
  EXPECT_EQ(counters.open_connections(), 3u);
  counters.give_back(slot);
  EXPECT_EQ(counters.open_connections(), 0u);
  EXPECT_EQ(counters.totals().connections, 5u);
}

TEST(Counters, there_are_no_more_slots_than_announced) {
  CountersFile counters("");
  CounterSlot* last = nullptr;
  for (std::uint32_t i = 0; i < kCountersSlots; ++i) {
    last = counters.take();
    ASSERT_NE(last, nullptr);
  }
  EXPECT_EQ(counters.take(), nullptr);
  counters.give_back(*last);
  EXPECT_EQ(counters.take(), last);
}

TEST(Counters, a_file_that_cannot_be_made_is_named) {
  try {
    CountersFile counters("/nonexistent/folder/counters");
    FAIL() << "it was made";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("/nonexistent/folder/counters"), std::string::npos);
  }
}

}  // namespace
}  // namespace baselines
