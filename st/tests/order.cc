// In which order threads run: one queue, first come first served, whatever made a thread runnable.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "isolated.h"
#include "support.h"

namespace {

using st_tests::Ends;
using st_tests::kLong;
using st_tests::pass;
using st_tests::Thread;

ST_TEST(Order, created_woken_handed_over_and_interrupted_threads_share_one_queue) {
  std::string word;
  const st_cond_t cond = st_cond_new();
  const st_mutex_t lock = st_mutex_new();
  ASSERT_EQ(st_mutex_lock(lock), 0);
  const auto say = [&](const char* letter) { return [&word, letter] { word += letter; }; };
  Thread waiter([&] { st_cond_wait(cond), word += "w"; });
  Thread locker([&] { st_mutex_lock(lock), word += "l", st_mutex_unlock(lock); });
  Thread sleeper([&] { st_sleep(-1), word += "s"; });
  pass();
  {
    Thread a(say("A"));
    st_thread_interrupt(sleeper.handle());
    Thread b(say("B"));
    st_mutex_unlock(lock);
    Thread c(say("C"));
    st_cond_signal(cond);
    Thread d(say("D"));
    pass();
  }
  EXPECT_EQ(word, "AsBlCwD");
  waiter.join(), locker.join(), sleeper.join();
  st_cond_destroy(cond);
  st_mutex_destroy(lock);
}

ST_TEST(Order, waking_runs_nobody_before_the_waker_gives_way) {
  std::string word;
  const st_cond_t cond = st_cond_new();
  {
    Thread a([&] { st_cond_wait(cond), word += "a"; });
    Thread b([&] { st_cond_wait(cond), word += "b"; });
    pass();
    st_cond_broadcast(cond);
    word += "m";
  }
  EXPECT_EQ(word, "mab");
  st_cond_destroy(cond);
}

ST_TEST(Order, yielding_threads_take_turns) {
  std::string word;
  const auto thrice = [&](char letter) {
    return [&word, letter] {
      for (int i = 0; i < 3; ++i, st_thread_yield()) word += letter;
    };
  };
  { Thread a(thrice('a')), b(thrice('b')), c(thrice('c')); }
  EXPECT_EQ(word, "abcabcabc");
}

ST_TEST(Order, sleepers_never_wake_early) {
  std::mt19937 random(7);
  std::vector<Thread> threads;
  for (int i = 0; i < 500; ++i)
    threads.emplace_back([sleep = random() % 20'000] {
      const st_utime_t begin = st_utime();
      EXPECT_EQ(st_usleep(sleep), 0);
      EXPECT_GE(st_utime() - begin, sleep);
    });
}

st_utime_t still_clock = 1'000;

ST_PROCESS_TEST(Order, sleepers_wake_by_deadline_in_the_first_look_after_it) {
  constexpr st_utime_t kStep = 100;
  st_set_utime_function([] { return still_clock; });
  ASSERT_EQ(st_init(), 0);
  const st_utime_t begin = still_clock;
  std::mt19937 random(7);
  std::vector<st_utime_t> deadlines;
  std::vector<Thread> threads;
  for (int i = 0; i < 500; ++i)
    threads.emplace_back([&deadlines, deadline = begin + 1 + random() % 20'000] {
      EXPECT_EQ(st_usleep(deadline - still_clock), 0);
      EXPECT_LE(deadline, still_clock);
      EXPECT_GT(deadline + kStep, still_clock);
      deadlines.push_back(deadline);
    });
  for (pass(); still_clock < begin + 21'000; pass()) still_clock += kStep;
  EXPECT_EQ(deadlines.size(), 500u);
  EXPECT_TRUE(std::is_sorted(deadlines.begin(), deadlines.end()));
}

// State Threads 1.9 promises nothing here; this library wakes them in the order they fell asleep.
ST_PROCESS_TEST(Order, sleepers_with_one_deadline_wake_in_the_order_they_fell_asleep) {
  st_set_utime_function([] { return still_clock; });
  ASSERT_EQ(st_init(), 0);
  std::vector<int> order;
  std::vector<Thread> threads;
  for (int i = 0; i < 100; ++i)
    threads.emplace_back([&order, i] { st_usleep(10), order.push_back(i); });
  pass();
  EXPECT_TRUE(order.empty());
  still_clock += 10;
  pass();
  EXPECT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

ST_PROCESS_TEST(Order, one_look_wakes_ready_descriptors_before_sleepers) {
  st_set_utime_function([] { return still_clock; });
  ASSERT_EQ(st_init(), 0);
  std::string word;
  Ends pipe = st_tests::pipe_to_read();
  Thread sleeper([&] { st_usleep(10), word += "t"; });
  Thread reader([&] { word += st_tests::read_some(pipe.st, 1); });
  pass();
  pipe.peer.put("r");
  still_clock += 10;
  pass();
  EXPECT_EQ(word, "rt");
}

ST_PROCESS_TEST(Order, absurdly_long_timeouts_never_end) {
  st_set_utime_function([] { return still_clock; });
  ASSERT_EQ(st_init(), 0);
  int ended = 0;
  const st_utime_t absurd[] = {ST_UTIME_NO_TIMEOUT - 1, ST_UTIME_NO_TIMEOUT / 2 + 1, 1ULL << 62};
  std::vector<Thread> threads;
  for (const st_utime_t timeout : absurd)
    threads.emplace_back([&ended, timeout] { EXPECT_EQ(st_usleep(timeout), -1), ++ended; });
  pass();
  still_clock += 1'000'000'000'000;
  pass();
  EXPECT_EQ(ended, 0);
  for (Thread& thread : threads) st_thread_interrupt(thread.handle());
}

}  // namespace
