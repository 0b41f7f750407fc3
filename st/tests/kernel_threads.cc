// Several kernel threads, each with a scheduler of its own.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <set>
#include <thread>
#include <vector>

#include "isolated.h"
#include "support.h"

namespace {

using st_tests::Both;
using st_tests::kLong;
using st_tests::Thread;

constexpr int kKernelThreads = 4;

// Runs `body(i)` in kernel threads that all begin at once. They stay until the process ends: what a
// scheduler holds is not given back with its kernel thread, and leak checkers would complain.
template <class Body>
void in_kernel_threads(Body body) {
  static std::latch ready(kKernelThreads);
  static std::latch done(kKernelThreads);
  for (int i = 0; i < kKernelThreads; ++i)
    std::thread([body, i] {
      ready.arrive_and_wait();
      body(i);
      done.count_down();
      for (;;) pause();
    }).detach();
  done.wait();
}

void converse(const Both& pair, int rounds) {
  Thread echo([&] {
    char byte;
    while (st_read(pair.b, &byte, 1, kLong) == 1) ASSERT_EQ(st_write(pair.b, &byte, 1, kLong), 1);
  });
  for (int i = 0; i < rounds; ++i) {
    const char sent = static_cast<char>(i);
    char got = '\0';
    ASSERT_EQ(st_write(pair.a, &sent, 1, kLong), 1);
    ASSERT_EQ(st_read(pair.a, &got, 1, kLong), 1);
    ASSERT_EQ(got, sent);
  }
  shutdown(st_netfd_fileno(pair.a), SHUT_WR);
}

ST_PROCESS_TEST(KernelThreads, each_runs_threads_locks_sleeps_and_sockets_of_its_own) {
  in_kernel_threads([](int) {
    ASSERT_EQ(st_init(), 0);
    const st_mutex_t lock = st_mutex_new();
    int counter = 0;
    {
      std::vector<Thread> threads;
      for (int i = 0; i < 50; ++i)
        threads.emplace_back([&] {
          for (int round = 0; round < 20; ++round) {
            st_mutex_lock(lock);
            const int before = counter;
            st_usleep(static_cast<st_utime_t>(round % 3 * 10));
            counter = before + 1;
            st_mutex_unlock(lock);
          }
        });
      converse(st_tests::local_streams(), 500);
    }
    EXPECT_EQ(counter, 50 * 20);
    EXPECT_EQ(st_mutex_destroy(lock), 0);
  });
}

ST_PROCESS_TEST(KernelThreads, schedulers_know_nothing_of_each_other) {
  static std::atomic<int> initialised{0};
  in_kernel_threads([](int i) {
    EXPECT_EQ(st_thread_self(), nullptr);
    ASSERT_EQ(st_init(), 0);
    EXPECT_NE(st_thread_self(), nullptr);
    ++initialised;
    while (initialised < kKernelThreads) st_usleep(100);
    st_stats_t stats;
    st_stats(&stats, sizeof(stats));
    EXPECT_EQ(stats.threads, 1u) << "in kernel thread " << i;
  });
}

ST_PROCESS_TEST(KernelThreads, one_wakes_another_through_a_pipe) {
  // A ring: each passes on what the one before it wrote.
  static std::vector<std::pair<st_tests::Raw, st_tests::Raw>> ring;
  for (int i = 0; i < kKernelThreads; ++i) ring.push_back(st_tests::raw_pipe());
  ring[0].second.put("x");
  in_kernel_threads([](int i) {
    ASSERT_EQ(st_init(), 0);
    const st_netfd_t in = st_netfd_open(ring[i].first.fd());
    const st_netfd_t out = st_netfd_open(ring[(i + 1) % kKernelThreads].second.fd());
    Thread passing([&] {
      char byte;
      for (int round = 0; round < 500; ++round) {
        ASSERT_EQ(st_read(in, &byte, 1, kLong), 1);
        ASSERT_EQ(st_write(out, &byte, 1, kLong), 1);
      }
    });
    passing.join();
    st_netfd_free(in);
    st_netfd_free(out);
  });
}

ST_PROCESS_TEST(KernelThreads, keys_are_made_for_all_and_each_once) {
  static std::atomic<unsigned> seen{0};
  in_kernel_threads([](int) {
    int key = -1;
    while (st_key_create(&key, nullptr) == 0) {
      const unsigned bit = 1u << key;
      EXPECT_EQ(seen.fetch_or(bit) & bit, 0u) << "key " << key << " was made twice";
    }
  });
  EXPECT_EQ(seen, 0xffffu);
}

}  // namespace
