// What st_destroy() and the end of a kernel thread give back: everything, as often as one likes.
#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "isolated.h"
#include "support.h"

namespace {

using st_tests::error_name;
using st_tests::kLong;
using st_tests::kShort;
using st_tests::open_descriptors;
using st_tests::pass;
using st_tests::resident_bytes;
using st_tests::Thread;

void* add_one(void* number) { return static_cast<char*>(number) + 1; }

// Something of everything that takes memory, descriptors or kernel threads; some of it is still in
// use at the end.
void use_everything() {
  ASSERT_EQ(st_init(), 0) << strerror(errno);
  {
    const st_tests::Both pair = st_tests::local_streams();
    Thread reader([&] { EXPECT_EQ(st_tests::read_some(pair.b, 1), "x"); });
    pass();
    ASSERT_EQ(st_write(pair.a, "x", 1, kLong), 1);
  }
  pollfd raw = {STDIN_FILENO, POLLPRI, 0};
  st_poll(&raw, 1, 1);
  for (const int size : {0, 4096, 256 * 1024})
    st_thread_join(st_thread_create(add_one, nullptr, 1, size), nullptr);
  st_leaf_call([](void*) {}, nullptr);
  void* result = nullptr;
  ASSERT_EQ(st_offload(add_one, nullptr, &result, kLong), 0);
  ASSERT_EQ(result, add_one(nullptr));
  // A bell that nobody destroys, a thread that waits at it, and one with a timer.
  const auto wait_at_bell = [](void* bell) -> void* {
    st_bell_wait(static_cast<st_bell_t>(bell), ST_UTIME_NO_TIMEOUT);
    return nullptr;
  };
  const auto sleep = [](void*) -> void* {
    st_usleep(3'600'000'000);
    return nullptr;
  };
  ASSERT_NE(st_thread_create(wait_at_bell, st_bell_new(), 0, 0), nullptr);
  ASSERT_NE(st_thread_create(sleep, nullptr, 0, 0), nullptr);
  pass();
}

// Kernel threads and mappings of this process.
int kernel_threads() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "Threads:") {
      int count = 0;
      status >> count;
      return count;
    }
  return -1;
}
size_t mappings() {
  std::ifstream maps("/proc/self/maps");
  size_t lines = 0;
  for (std::string line; std::getline(maps, line);) ++lines;
  return lines;
}

// Helpers end by themselves, a moment after the last scheduler.
void await_end_of_helpers() {
  for (int i = 0; i < 20'000 && kernel_threads() > 1; ++i) usleep(1'000);
  EXPECT_EQ(kernel_threads(), 1);
}

// `cycle` uses the library and ends using it.
void check_for_growth(void (*cycle)(), int cycles) {
  const auto several = [cycle](int count) {
    for (int i = 0; i < count && !testing::Test::HasFatalFailure(); ++i) cycle();
    await_end_of_helpers();
  };
  several(20);
  const std::string open_before = open_descriptors();
  const size_t mapped_before = mappings();
  const size_t resident_before = resident_bytes();
  several(cycles);
  EXPECT_EQ(open_descriptors(), open_before);
  if (st_tests::sanitized()) return;
  // The C library keeps a heap for each of a few kernel threads at once.
  EXPECT_LE(mappings(), mapped_before + 16);
  EXPECT_LE(resident_bytes(), resident_before + (1 << 20));
}

void in_a_kernel_thread(void* (*body)(void*)) {
  pthread_t thread;
  ASSERT_EQ(pthread_create(&thread, nullptr, body, nullptr), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
}

ST_PROCESS_TEST(Destroy, thousand_kernel_threads_that_end_leave_nothing) {
  check_for_growth(
      [] {
        in_a_kernel_thread([](void*) -> void* {
          use_everything();
          return nullptr;
        });
      },
      1'000);
}

ST_PROCESS_TEST(Destroy, thousand_lives_of_one_kernel_thread_leave_nothing) {
  check_for_growth(
      [] {
        use_everything();
        st_destroy();
      },
      1'000);
}

ST_PROCESS_TEST(Destroy, afterwards_all_is_as_before_st_init) {
  st_destroy();  // there is nothing yet
  ASSERT_EQ(st_init(), 0);
  const int mechanism = st_get_eventsys();
  st_destroy();
  EXPECT_EQ(st_thread_self(), nullptr);
  EXPECT_EQ(st_get_eventsys(), -1);
  EXPECT_EQ(st_set_eventsys(mechanism), 0);
  EXPECT_EQ(st_set_utime_function(nullptr), 0);
  ASSERT_EQ(st_init(), 0);
  EXPECT_EQ(st_get_eventsys(), mechanism);
  EXPECT_EQ(st_usleep(1), 0);
  st_stats_t stats;
  st_stats(&stats, sizeof(stats));
  EXPECT_EQ(stats.threads, 1u);
  EXPECT_EQ(stats.stacks, 0u);
}

ST_PROCESS_TEST(Destroy, wrapped_descriptors_stay_open) {
  ASSERT_EQ(st_init(), 0);
  const auto [a, b] = st_tests::raw_pair(SOCK_STREAM);
  ASSERT_NE(st_netfd_open_socket(a.fd()), nullptr);
  st_destroy();
  b.put("still there");
  ASSERT_EQ(st_init(), 0);
  const st_netfd_t again = st_netfd_open_socket(a.fd());
  EXPECT_EQ(st_tests::read_some(again, 100), "still there");
  st_netfd_free(again);
}

ST_TEST(Destroy, in_another_thread_than_the_first_nothing_happens) {
  Thread([] { st_destroy(); }).join();
  EXPECT_EQ(st_usleep(1), 0);
}

// The transfer that a thread was waiting for must not write into memory that is no longer its own.
ST_PROCESS_TEST(Destroy, data_that_come_later_are_not_received_into_freed_memory) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(st_init(), 0);
    auto [a, b] = st_tests::raw_pair(SOCK_STREAM);
    const auto read_one = [](void* netfd) -> void* {
      char byte;
      st_read(static_cast<st_netfd_t>(netfd), &byte, 1, ST_UTIME_NO_TIMEOUT);
      return nullptr;
    };
    ASSERT_NE(st_thread_create(read_one, st_netfd_open_socket(a.fd()), 0, 0), nullptr);
    pass();
    st_destroy();
    b.put("x");
    // Nobody has taken it.
    char byte = '\0';
    EXPECT_EQ(read(a.fd(), &byte, 1), 1);
    EXPECT_EQ(byte, 'x');
  }
}

// Work that is under way when its scheduler ends is done all the same, and nobody is told.
ST_PROCESS_TEST(Destroy, work_in_helpers_outlives_its_scheduler) {
  static std::pair<st_tests::Raw, st_tests::Raw> go = st_tests::raw_pipe();
  static std::pair<st_tests::Raw, st_tests::Raw> done = st_tests::raw_pipe();
  ASSERT_EQ(st_init(), 0);
  st_offload_limit(1);  // so that the second has not been begun
  for (int i = 0; i < 2; ++i) {
    const auto work = [](void*) -> void* {
      go.first.get(1);
      done.second.put("d");
      return nullptr;
    };
    EXPECT_EQ(st_offload(work, nullptr, nullptr, kShort), -1);
    EXPECT_EQ(error_name(errno), "ETIME");
  }
  st_destroy();
  go.second.put("gg");
  EXPECT_EQ(done.first.get(2), "dd");
  await_end_of_helpers();
  ASSERT_EQ(st_init(), 0);
  void* result = nullptr;
  EXPECT_EQ(st_offload(add_one, nullptr, &result, kLong), 0);
  EXPECT_EQ(result, add_one(nullptr));
}

ST_PROCESS_TEST(Destroy, child_process_can_give_back_what_it_has_inherited) {
  ASSERT_EQ(st_init(), 0);
  const st_bell_t bell = st_bell_new();
  const auto [a, b] = st_tests::raw_pair(SOCK_STREAM);
  const st_netfd_t netfd = st_netfd_open_socket(a.fd());
  EXPECT_EQ(st_tests::read_some(netfd, 1, kShort), "ETIME");
  st_tests::run_in_process([] {
    st_destroy();
    ASSERT_EQ(st_init(), 0);
    EXPECT_EQ(st_usleep(1), 0);
  });
  // The parent has lost nothing.
  b.put("x");
  EXPECT_EQ(st_tests::read_some(netfd, 1), "x");
  st_bell_ring(bell);
  EXPECT_EQ(st_bell_wait(bell, kLong), 1);
}

ST_PROCESS_TEST(Destroy, stack_of_the_first_thread_may_be_told) {
  pthread_attr_t attributes;
  void* low = nullptr;
  size_t size = 0;
  ASSERT_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
  pthread_attr_getstack(&attributes, &low, &size);
  pthread_attr_destroy(&attributes);
  char* const top = static_cast<char*>(low) + size;
  for (const bool before : {true, false}) {
    if (before) st_set_primordial_stack(top, low);
    ASSERT_EQ(st_init(), 0);
    if (!before) st_set_primordial_stack(top, low);
    Thread([] { st_usleep(1); }).join();
    st_destroy();
  }
}

}  // namespace
