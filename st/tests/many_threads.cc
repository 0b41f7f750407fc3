// Thousands of threads: they all run, and cost what was promised.
#include <gtest/gtest.h>

#include <vector>

#include "isolated.h"
#include "support.h"

namespace {

using st_tests::pass;
using st_tests::resident_bytes;
using st_tests::Thread;

constexpr int kThreads = 10'000;

// As many threads as wanted, without the comfort (and the stack) of st_tests::Thread.
std::vector<st_thread_t> start(int count, void* (*body)(void*), void* argument = nullptr) {
  std::vector<st_thread_t> threads;
  for (int i = 0; i < count; ++i) threads.push_back(st_thread_create(body, argument, 1, 0));
  return threads;
}

void join(const std::vector<st_thread_t>& threads) {
  for (const st_thread_t thread : threads) ASSERT_EQ(st_thread_join(thread, nullptr), 0);
}

ST_TEST(ManyThreads, ten_thousand_sleep_and_yield_and_end) {
  int ended = 0;
  join(start(
      kThreads,
      [](void* count) -> void* {
        for (int i = 0; i < 3; ++i) {
          st_usleep(static_cast<st_utime_t>(i * 100));
          st_thread_yield();
        }
        ++*static_cast<int*>(count);
        return nullptr;
      },
      &ended));
  EXPECT_EQ(ended, kThreads);
}

ST_TEST(ManyThreads, ten_thousand_wait_for_one_condition_and_wake_in_order) {
  struct Shared {
    st_cond_t cond = st_cond_new();
    std::vector<st_thread_t> woken;
  } shared;
  const std::vector<st_thread_t> threads = start(
      kThreads,
      [](void* argument) -> void* {
        auto* const all = static_cast<Shared*>(argument);
        EXPECT_EQ(st_cond_wait(all->cond), 0);
        all->woken.push_back(st_thread_self());
        return nullptr;
      },
      &shared);
  pass();
  st_cond_broadcast(shared.cond);
  join(threads);
  EXPECT_EQ(shared.woken, threads);
  EXPECT_EQ(st_cond_destroy(shared.cond), 0);
}

ST_TEST(ManyThreads, ten_thousand_pass_a_lock_on) {
  struct Shared {
    st_mutex_t lock = st_mutex_new();
    int inside = 0;
    int entered = 0;
  } shared;
  join(start(
      kThreads,
      [](void* argument) -> void* {
        auto* const all = static_cast<Shared*>(argument);
        st_mutex_lock(all->lock);
        EXPECT_EQ(++all->inside, 1);
        st_thread_yield();
        ++all->entered;
        --all->inside;
        st_mutex_unlock(all->lock);
        return nullptr;
      },
      &shared));
  EXPECT_EQ(shared.entered, kThreads);
  EXPECT_EQ(st_mutex_destroy(shared.lock), 0);
}

ST_TEST(ManyThreads, detached_threads_of_all_sizes_come_and_go_without_growth) {
  const auto churn = [](int count) {
    for (int i = 0; i < count; ++i) {
      const int size = (2 << (i % 5)) * 4096;
      ASSERT_NE(st_thread_create([](void*) -> void* { return nullptr; }, nullptr, 0, size),
                nullptr);
      if (i % 7 == 0) pass();
    }
    pass();
  };
  churn(1'000);
  const size_t before = resident_bytes();
  churn(100'000);
  if (!st_tests::sanitized()) {
    EXPECT_LT(resident_bytes(), before + (1 << 20));
  }
}

ST_TEST(ManyThreads, waiting_thread_costs_one_page_and_little_else) {
  if (st_tests::sanitized()) GTEST_SKIP() << "shadow memory would be counted";
  constexpr int kCount = 20'000;
  // A page and its share of everything else: the handle in the vector below, growing tables.
  constexpr size_t kPromised = 4'710;
  struct Shared {
    st_cond_t cond = st_cond_new();
  } shared;
  const size_t before = resident_bytes();
  const std::vector<st_thread_t> threads = start(
      kCount,
      [](void* argument) -> void* {
        st_cond_wait(static_cast<Shared*>(argument)->cond);
        return nullptr;
      },
      &shared);
  pass();
  EXPECT_LE((resident_bytes() - before) / kCount, kPromised);
  st_cond_broadcast(shared.cond);
  join(threads);
  EXPECT_EQ(st_cond_destroy(shared.cond), 0);
}

}  // namespace
