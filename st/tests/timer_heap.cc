// The heap of timers against a sorted reference, and at sizes where recursion would not do.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <vector>

#include "isolated.h"
#include "st.h"
#include "timer.h"

namespace {

using st::kNever;
using st::Timer;
using st::TimerHeap;

constexpr int kMany = 100'000;

constexpr uint64_t kLatest = kNever - 1;

std::vector<uint64_t> pop_all(TimerHeap& heap) {
  std::vector<uint64_t> deadlines;
  while (Timer* first = heap.take_due(kLatest)) {
    deadlines.push_back(first->deadline);
    heap.cancel(first);
  }
  return deadlines;
}

// Arms, cancels and pops at random; few different deadlines, so that many are equal. The reference
// keeps equal ones in the order in which they were inserted, as std::multimap promises.
void compare_with_reference(unsigned seed, uint64_t deadlines, int live_at_most, int steps) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<Timer> timers(static_cast<size_t>(live_at_most));
  std::multimap<uint64_t, Timer*> reference;
  TimerHeap heap;
  for (int step = 0; step < steps; ++step) {
    Timer& timer = timers[random() % timers.size()];
    const bool postpone = timer.armed() && random() % 4 == 0;
    if (postpone) {
      const auto [first, last] = reference.equal_range(timer.deadline);
      reference.erase(std::find_if(first, last, [&](auto& item) { return item.second == &timer; }));
    }
    if (!timer.armed() || postpone) {
      const uint64_t deadline = random() % deadlines;
      heap.arm(&timer, deadline);
      reference.emplace(deadline, &timer);
    } else if (random() % 3 == 0) {
      const auto [first, last] = reference.equal_range(timer.deadline);
      reference.erase(std::find_if(first, last, [&](auto& item) { return item.second == &timer; }));
      heap.cancel(&timer);
      ASSERT_FALSE(timer.armed());
    } else {
      ASSERT_LE(heap.next_look(), reference.begin()->first) << "in step " << step;
      ASSERT_EQ(heap.take_due(kLatest), reference.begin()->second) << "in step " << step;
      heap.cancel(reference.begin()->second);
      reference.erase(reference.begin());
    }
  }
  for (const auto& [deadline, timer] : reference) {
    if (deadline > 0) {
      ASSERT_EQ(heap.take_due(deadline - 1), nullptr);
    }
    ASSERT_EQ(heap.take_due(deadline), timer);
  }
  EXPECT_EQ(heap.take_due(kLatest), nullptr);
}

TEST(TimerHeap, random_operations_agree_with_a_sorted_map) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    compare_with_reference(seed, 10, 50, 4'000);
    compare_with_reference(seed, 1'000'000, 500, 4'000);
  }
}

TEST(TimerHeap, timers_of_one_deadline_come_in_the_order_they_were_armed) {
  std::vector<Timer> timers(1'000);
  TimerHeap heap;
  for (Timer& timer : timers) heap.arm(&timer, 7);
  // Some go and come again: they are the latest then.
  for (size_t i = 0; i < timers.size(); i += 3) heap.cancel(&timers[i]);
  for (size_t i = 0; i < timers.size(); i += 3) heap.arm(&timers[i], 7);
  std::vector<Timer*> expected;
  for (size_t i = 0; i < timers.size(); ++i)
    if (i % 3 != 0) expected.push_back(&timers[i]);
  for (size_t i = 0; i < timers.size(); i += 3) expected.push_back(&timers[i]);
  for (Timer* timer : expected) ASSERT_EQ(heap.take_due(kLatest), timer);
  EXPECT_EQ(heap.take_due(kLatest), nullptr);
}

TEST(TimerHeap, arming_again_after_a_cancel_forgets_the_old_deadline) {
  Timer a, b;
  TimerHeap heap;
  heap.arm(&a, 1);
  heap.arm(&b, 2);
  heap.cancel(&a);
  heap.arm(&a, 3);
  EXPECT_EQ(pop_all(heap), (std::vector<uint64_t>{2, 3}));
}

// Arms `kMany` timers, then takes them all out, from the front or in the order of arming.
void check_many(const std::function<uint64_t(int)>& deadline_of) {
  std::vector<Timer> timers(kMany);
  TimerHeap heap;
  for (int i = 0; i < kMany; ++i) heap.arm(&timers[i], deadline_of(i));
  const std::vector<uint64_t> popped = pop_all(heap);
  EXPECT_EQ(popped.size(), size_t{kMany});
  EXPECT_TRUE(std::is_sorted(popped.begin(), popped.end()));

  for (int i = 0; i < kMany; ++i) heap.arm(&timers[i], deadline_of(i));
  for (Timer& timer : timers) heap.cancel(&timer);
  EXPECT_EQ(heap.take_due(kLatest), nullptr);

  for (int i = 0; i < kMany; ++i) heap.arm(&timers[i], deadline_of(i));
  for (Timer& timer : timers) heap.remove(&timer);
  EXPECT_EQ(heap.take_due(kLatest), nullptr);
  EXPECT_EQ(heap.next_look(), kNever);
}

void* check_many_in_every_order(void*) {
  std::mt19937 random(1);
  check_many([](int i) { return static_cast<uint64_t>(i); });
  check_many([](int i) { return static_cast<uint64_t>(kMany - i); });
  check_many([](int) { return uint64_t{5}; });
  check_many([](int i) { return static_cast<uint64_t>(i % 2 ? i : kMany - i); });
  check_many([&](int) { return uint64_t{random()}; });
  return nullptr;
}

// A heap that recurses once for each timer would overflow the stack of a state thread.
ST_TEST(TimerHeap, hundred_thousand_timers_need_no_deep_stack) {
  ASSERT_EQ(st_thread_join(st_thread_create(check_many_in_every_order, nullptr, 1, 0), nullptr), 0);
}

}  // namespace
