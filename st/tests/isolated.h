// Internal to st's tests: each test in a process of its own, with a scheduler of its own, that must
// leave nothing behind.
#pragma once

#include <gtest/gtest.h>

namespace st_tests {

// Runs `body` in a child process and fails if the child does not end well: an assertion in it has
// failed, it was killed, or it hung.
void run_in_process(void (*body)());

// The same as the first state thread of that process. Fails also if the body leaves a thread, a
// stack, an armed timer, a waiter or an open descriptor behind.
void run_in_state_threads(void (*body)());

// Whether a sanitizer or Valgrind keeps account of memory and stacks, which then are larger than
// promised.
bool sanitized();

// Whether it is Valgrind, which makes everything some thirty times slower.
bool on_valgrind();

}  // namespace st_tests

// A test whose body is the first state thread of a new process.
#define ST_TEST(suite, name)                                            \
  static void suite##_##name();                                         \
  TEST(suite, name) { st_tests::run_in_state_threads(suite##_##name); } \
  static void suite##_##name()

// A test whose body decides itself when to call st_init(), and whether to leave something.
#define ST_PROCESS_TEST(suite, name)                              \
  static void suite##_##name();                                   \
  TEST(suite, name) { st_tests::run_in_process(suite##_##name); } \
  static void suite##_##name()
