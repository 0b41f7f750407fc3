// Leaf calls: on a stack that all threads share, deep, and with no trace left in the caller.
#include <gtest/gtest.h>
#include <string.h>

#include <stdexcept>

#include "isolated.h"
#include "support.h"

namespace {

using st_tests::Thread;

template <class Body>
void leaf_call(Body body) {
  st_leaf_call([](void* argument) { (*static_cast<Body*>(argument))(); }, &body);
}

// More than a thread's stack has, touched.
[[gnu::noinline]] int fill_much() {
  volatile char much[128 * 1024];
  for (size_t i = 0; i < sizeof(much); i += 512) much[i] = 1;
  return much[0];
}

ST_TEST(LeafCalls, go_deeper_than_the_threads_stack) {
#ifndef __x86_64__
  GTEST_SKIP() << "there is no shared stack here";
#endif
  if (st_tests::sanitized()) GTEST_SKIP() << "there is no shared stack then";
  const auto body = [](void*) -> void* {
    leaf_call([] { EXPECT_EQ(fill_much(), 1); });
    return nullptr;
  };
  ASSERT_EQ(st_thread_join(st_thread_create(body, nullptr, 1, 64 * 1024), nullptr), 0);
}

ST_TEST(LeafCalls, may_be_made_within_leaf_calls) {
  int calls = 0;
  leaf_call([&] {
    ++calls;
    leaf_call([&] { leaf_call([&] { ++calls; }); });
    ++calls;
  });
  EXPECT_EQ(calls, 3);
}

ST_TEST(LeafCalls, pass_exceptions_on_and_others_run_afterwards) {
  int turns = 0;
  Thread other([&] {
    while (turns < 200) st_thread_yield();
  });
  for (; turns < 200; ++turns) {
    EXPECT_THROW(leaf_call([] { throw std::runtime_error("thrown"); }), std::runtime_error);
    st_thread_yield();
  }
}

unsigned long long switches() {
  st_stats_t stats;
  st_stats(&stats, sizeof(stats));
  return stats.switches;
}

// A leaf call holds switches back and gives the right to them back.
ST_TEST(LeafCalls, do_not_change_how_many_switches_are_counted) {
  constexpr int kRounds = 1'000;
  bool stop = false;
  Thread other([&] {
    while (!stop) st_thread_yield();
  });
  st_thread_yield();
  const auto before = switches();
  unsigned long long inside = 0;
  for (int i = 0; i < kRounds; ++i) {
    const auto outside = switches();
    leaf_call([&] { inside = switches(); });
    EXPECT_EQ(inside, outside);
    EXPECT_EQ(switches(), outside);
    st_thread_yield();
  }
  EXPECT_EQ(switches() - before, 2u * kRounds);
  stop = true;
}

int hooked;

// Hooks that are set while switches are held back are called at the next one.
ST_TEST(LeafCalls, may_set_hooks) {
  Thread other([] { st_thread_yield(); });
  leaf_call([] { st_set_switch_out_cb([] { ++hooked; }); });
  st_thread_yield();
  EXPECT_EQ(hooked, 2);  // ours, and the other's
  st_set_switch_out_cb(nullptr);
}

}  // namespace
