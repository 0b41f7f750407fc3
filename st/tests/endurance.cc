// What a server does a million times a day leaves nothing behind: the process does not grow.
#include <gtest/gtest.h>

#include <vector>

#include "isolated.h"
#include "support.h"

namespace {

using st_tests::kLong;
using st_tests::pass;
using st_tests::resident_bytes;

// So often; less where it would take minutes.
int often(int times) { return st_tests::on_valgrind() ? times / 50 : times; }

// What a process may grow by that keeps tables and caches: less than a byte for each repetition.
constexpr size_t kAllowed = 512 << 10;

void expect_no_growth(size_t before) {
  if (!st_tests::sanitized()) {
    EXPECT_LE(resident_bytes(), before + kAllowed);
  }
}

void* end_at_once(void*) { return nullptr; }

// A hundred threads at a time: joined ones, and ones that disappear by themselves.
void create_and_end(int times) {
  for (int i = 0; i < times; i += 100) {
    st_thread_t joined[50];
    for (st_thread_t& thread : joined) {
      thread = st_thread_create(end_at_once, nullptr, 1, 0);
      ASSERT_NE(thread, nullptr);
      ASSERT_NE(st_thread_create(end_at_once, nullptr, 0, 0), nullptr);
    }
    for (const st_thread_t thread : joined) ASSERT_EQ(st_thread_join(thread, nullptr), 0);
  }
  pass();
}

ST_TEST(Endurance, a_million_threads_come_and_go) {
  create_and_end(1'000);
  const size_t before = resident_bytes();
  create_and_end(often(1'000'000));
  expect_no_growth(before);
}

// A thousand threads, each with as many waits of all kinds that end with their timeout.
struct Waits {
  st_cond_t cond = st_cond_new();
  st_netfd_t silent;
  int each;
  int done = 0;
};

void* wait_in_vain(void* argument) {
  auto* const waits = static_cast<Waits*>(argument);
  for (int i = 0; i < waits->each; ++i) {
    const auto timeout = static_cast<st_utime_t>(i % 7 * 10);
    const int kind = i % 10;
    if (kind < 6)
      st_usleep(timeout);
    else if (kind < 9)
      st_cond_timedwait(waits->cond, timeout);
    else
      st_netfd_poll(waits->silent, POLLIN, timeout);
    ++waits->done;
  }
  return nullptr;
}

void wait(int times) {
  constexpr int kThreads = 1'000;
  st_tests::Ends ends = st_tests::local_stream();
  Waits waits;
  waits.silent = ends.st;
  waits.each = times / kThreads;
  std::vector<st_thread_t> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.push_back(st_thread_create(wait_in_vain, &waits, 1, 0));
  for (const st_thread_t thread : threads) ASSERT_EQ(st_thread_join(thread, nullptr), 0);
  EXPECT_EQ(waits.done, times);
  EXPECT_EQ(st_cond_destroy(waits.cond), 0);
}

ST_TEST(Endurance, a_million_timed_waits) {
  wait(10'000);
  const size_t before = resident_bytes();
  wait(often(1'000'000));
  expect_no_growth(before);
}

// Waves of four hundred descriptors: as many as select(2) takes with those that are open anyhow.
void open_use_and_close(int times) {
  constexpr int kPairs = 200;
  for (int i = 0; i < times; i += 2 * kPairs) {
    std::vector<st_tests::Both> pairs;
    for (int k = 0; k < kPairs; ++k) pairs.push_back(st_tests::local_streams());
    for (const st_tests::Both& pair : pairs) {
      char byte = 'x';
      ASSERT_EQ(st_read(pair.b, &byte, 1, ST_UTIME_NO_WAIT), -1);
      ASSERT_EQ(st_write(pair.a, &byte, 1, kLong), 1);
      ASSERT_EQ(st_read(pair.b, &byte, 1, kLong), 1);
    }
  }
}

ST_TEST(Endurance, storms_of_descriptors) {
  open_use_and_close(2'000);
  const size_t before = resident_bytes();
  open_use_and_close(often(100'000));
  expect_no_growth(before);
}

}  // namespace
