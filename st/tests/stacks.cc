// Stacks: guarded, used again, of the size that was asked for.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <set>
#include <vector>

#include "isolated.h"
#include "support.h"
#include "thread.h"

namespace {

using st_tests::pass;
using st_tests::resident_bytes;

size_t page() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

void* end_at_once(void*) { return nullptr; }

void* wait_for_interrupt(void*) {
  st_sleep(-1);
  return nullptr;
}

st_thread_t create(void* (*body)(void*), int size) {
  const st_thread_t thread = st_thread_create(body, nullptr, 1, size);
  EXPECT_NE(thread, nullptr);
  return thread;
}

void join(st_thread_t thread) { EXPECT_EQ(st_thread_join(thread, nullptr), 0); }

// Set by the thread that is about to overflow: where its guard page ends.
uintptr_t guard_end;

void report_fault(int, siginfo_t* info, void*) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  _exit(address >= guard_end - page() && address < guard_end ? EXIT_SUCCESS : 2);
}

[[gnu::noinline]] int recurse(int depth) {
  volatile char frame[256] = {static_cast<char>(depth)};
  return depth == 0 ? 0 : recurse(depth - 1) + frame[0];
}

void* overflow(void*) {
  guard_end = reinterpret_cast<uintptr_t>(st_thread_self()->stack.low);
  recurse(1 << 20);  // 256 MiB
  return nullptr;
}

// The handler needs a stack of its own: the thread's is what is full.
void catch_fault() {
  constexpr size_t kHandlerStack = 64 * 1024;
  stack_t stack{};
  stack.ss_sp =
      mmap(nullptr, kHandlerStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  stack.ss_size = kHandlerStack;
  struct sigaction action {};
  action.sa_sigaction = report_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ASSERT_EQ(sigaltstack(&stack, nullptr), 0);
  ASSERT_EQ(sigaction(SIGSEGV, &action, nullptr), 0);
}

// Ends in report_fault(), or fails.
void overflows_into_the_guard(int size) {
  ASSERT_EQ(st_init(), 0);
  catch_fault();
  // Neighbours on both sides, and the middle one a used stack.
  std::vector<st_thread_t> threads;
  for (int i = 0; i < 3; ++i) threads.push_back(create(wait_for_interrupt, size));
  pass();
  st_thread_interrupt(threads[1]);
  join(threads[1]);
  join(create(overflow, size));
  FAIL() << "a thread ran over the end of its stack";
}

ST_PROCESS_TEST(Stacks, overflow_hits_the_guard_page) { overflows_into_the_guard(0); }
ST_PROCESS_TEST(Stacks, overflow_of_a_large_stack_hits_the_guard_page) {
  overflows_into_the_guard(8 << 20);
}

TEST(Stacks, overflow_ends_the_process_with_a_sentence) {
  if (st_tests::sanitized()) GTEST_SKIP() << "the sanitizer says it in its own words";
  const auto run_over = [] {
    st_init();
    const st_thread_t thread = st_thread_create(overflow, nullptr, 1, 0);
    st_thread_setname(thread, "the guilty one");
    st_thread_join(thread, nullptr);
  };
  EXPECT_EXIT(run_over(), testing::KilledBySignal(SIGSEGV), "stack overflow.*the guilty one");
}

// The library's handler finds no overflow in it and must not take it for one that repeats itself.
TEST(Stacks, segmentation_fault_sent_by_somebody_ends_the_process) {
  if (st_tests::sanitized()) GTEST_SKIP() << "the sanitizer has a handler of its own";
  const auto be_killed = [] {
    if (st_init() == 0) kill(getpid(), SIGSEGV);
    _exit(0);
  };
  EXPECT_EXIT(be_killed(), testing::KilledBySignal(SIGSEGV), "^$");
}

ST_TEST(Stacks, sizes_are_rounded_up_to_whole_pages) {
  for (const size_t wanted : {size_t{1}, page(), page() + 1, 10 * page(), size_t{1'000'000}}) {
    const st_thread_t thread = create(end_at_once, static_cast<int>(wanted));
    const size_t rounded = (wanted + page() - 1) / page() * page();
    const auto low = reinterpret_cast<uintptr_t>(thread->stack.low);
    const auto top = reinterpret_cast<uintptr_t>(thread);
    EXPECT_EQ(low % page(), 0u);
    EXPECT_EQ(top - low, thread->stack.size);
    // Control block and offset are part of it, and are less than a page together.
    EXPECT_LE(thread->stack.size, rounded);
    EXPECT_GT(thread->stack.size + page(), rounded);
    join(thread);
  }
}

// One page would do, were it not for the dynamic linker, which saves all vector registers the first
// time that a function is called.
ST_TEST(Stacks, stack_of_two_pages_can_wait_in_every_way) {
  if (st_tests::sanitized()) GTEST_SKIP() << "sanitizers' frames are larger";
  static st_cond_t cond = st_cond_new();
  static st_tests::Ends ends = st_tests::local_stream();
  const auto body = [](void*) -> void* {
    char byte;
    pollfd entry = {st_netfd_fileno(ends.st), POLLIN, 0};
    st_usleep(1);
    st_cond_timedwait(cond, 1);
    st_poll(&entry, 1, 1);
    st_read(ends.st, &byte, 1, 1);
    st_write(ends.st, "x", 1, 1);
    st_thread_yield();
    return nullptr;
  };
  for (int i = 0; i < 40; ++i)
    join(create(body, static_cast<int>(2 * page())));  // each at another offset
  ends.st.close();
  ends.peer.close();
  st_cond_destroy(cond);
}

ST_TEST(Stacks, last_one_freed_is_the_next_one_given_out) {
  const st_thread_t a = create(end_at_once, 0);
  const st_thread_t b = create(end_at_once, 0);
  const st_thread_t c = create(end_at_once, 0);
  join(a), join(c), join(b);
  EXPECT_EQ(create(end_at_once, 0), b);
  EXPECT_EQ(create(end_at_once, 0), c);
  EXPECT_EQ(create(end_at_once, 0), a);
  join(a), join(b), join(c);
}

ST_TEST(Stacks, detached_thread_does_not_run_on_while_its_stack_is_given_away) {
  // Each creates its successor on its way out; the stack of the one before is free by then, its own
  // is not.
  static int left = 10'000;
  static void* (*next)(void*);
  next = [](void* address) -> void* {
    int on_stack = 0;
    EXPECT_NE(&on_stack, address);
    if (--left > 0) {
      EXPECT_NE(st_thread_create(next, &on_stack, 0, 0), nullptr);
    }
    return nullptr;
  };
  st_thread_create(next, nullptr, 0, 0);
  EXPECT_TRUE(st_tests::pass_until([] { return left == 0; }));
}

ST_TEST(Stacks, hundred_thousand_create_and_join_cycles_do_not_grow_the_process) {
  const auto cycles = [](int count) {
    for (int i = 0; i < count; ++i) join(create(end_at_once, 0));
  };
  cycles(1'000);
  const size_t before = resident_bytes();
  cycles(100'000);
  if (!st_tests::sanitized()) {
    EXPECT_LT(resident_bytes(), before + (256 << 10));
  }
}

ST_TEST(Stacks, memory_of_ended_threads_goes_back_beyond_what_is_kept) {
  if (st_tests::sanitized()) GTEST_SKIP() << "shadow memory would be counted";
  constexpr int kCount = 8'000;
  st_stack_cache(100);
  const size_t before = resident_bytes();
  std::vector<st_thread_t> threads;
  for (int i = 0; i < kCount; ++i) threads.push_back(create(wait_for_interrupt, 0));
  pass();
  EXPECT_GT(resident_bytes(), before + kCount * page());
  for (const st_thread_t thread : threads) st_thread_interrupt(thread);
  for (const st_thread_t thread : threads) join(thread);
  EXPECT_LT(resident_bytes(), before + kCount * page() / 4);
  st_stats_t stats;
  st_stats(&stats, sizeof(stats));
  EXPECT_GE(stats.stacks_trimmed, unsigned{kCount} - 200);
  // And they can be used again.
  threads.clear();
  for (int i = 0; i < kCount; ++i) threads.push_back(create(end_at_once, 0));
  for (const st_thread_t thread : threads) join(thread);
}

ST_TEST(Stacks, all_ended_threads_keep_their_memory_after_a_negative_number) {
  EXPECT_EQ(st_stack_cache(0), 1024);
  EXPECT_EQ(st_stack_cache(-1), 0);
  std::vector<st_thread_t> threads;
  for (int i = 0; i < 2'000; ++i) threads.push_back(create(end_at_once, 0));
  for (const st_thread_t thread : threads) join(thread);
  st_stats_t stats;
  st_stats(&stats, sizeof(stats));
  EXPECT_EQ(stats.stacks_free, 2'000u);
  EXPECT_EQ(stats.stacks_trimmed, 0u);
  EXPECT_EQ(st_stack_cache(1), -1);
}

// What a program has that was built against another header: one that knows less, or more.
ST_TEST(Statistics, structure_of_another_size) {
  struct {
    st_stats_t known;
    unsigned long long unknown[2];
  } stats;
  memset(&stats, 0xff, sizeof(stats));
  st_stats(&stats.known, offsetof(st_stats_t, runnable));
  EXPECT_EQ(stats.known.threads, 1u);
  EXPECT_EQ(stats.known.runnable, ~0ULL);
  st_stats(&stats.known, sizeof(stats));
  EXPECT_EQ(stats.known.runnable, 0u);
  EXPECT_EQ(stats.unknown[0], 0u);
  EXPECT_EQ(stats.unknown[1], 0u);
}

ST_TEST(Stacks, neighbours_begin_at_different_offsets) {
  std::set<uintptr_t> offsets;
  std::vector<st_thread_t> threads;
  for (int i = 0; i < 64; ++i) threads.push_back(create(end_at_once, 0));
  for (const st_thread_t thread : threads) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(thread) % alignof(_st_thread), 0u);
    offsets.insert(reinterpret_cast<uintptr_t>(thread) % page());
    join(thread);
  }
  EXPECT_GE(offsets.size(), 8u);
}

// The sequence in which new stacks of a process begin.
std::vector<uintptr_t> offsets_of_new_stacks(unsigned seed) {
  srandom(seed);
  std::vector<uintptr_t> offsets;
  std::vector<st_thread_t> threads;
  for (int i = 0; i < 64; ++i) threads.push_back(create(end_at_once, 32 * 1024));
  for (const st_thread_t thread : threads) {
    offsets.push_back(reinterpret_cast<uintptr_t>(thread) % page());
    join(thread);
  }
  return offsets;
}

ST_TEST(Stacks, random_offsets_are_random_and_can_be_switched_off) {
  EXPECT_EQ(st_randomize_stacks(1), 0);
  EXPECT_EQ(st_randomize_stacks(1), 1);
  const std::vector<uintptr_t> offsets = offsets_of_new_stacks(1);
  EXPECT_GE(std::set<uintptr_t>(offsets.begin(), offsets.end()).size(), 16u);
  // Neighbours differ by more than one step each.
  std::set<uintptr_t> steps;
  for (size_t i = 1; i < offsets.size(); ++i) steps.insert(offsets[i] - offsets[i - 1]);
  EXPECT_GE(steps.size(), 8u);
  EXPECT_EQ(st_randomize_stacks(0), 1);
}

}  // namespace
