// Thread-specific values across the life of stacks and threads.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "isolated.h"
#include "support.h"

namespace {

using st_tests::Thread;

std::string destroyed;
void note(void* value) { destroyed += static_cast<const char*>(value); }
void* text(const char* value) { return const_cast<char*>(value); }

// What a new thread finds under `key`; it runs on the stack that was freed last.
void* found_by_new_thread(int key) {
  static int wanted;
  wanted = key;
  void* found = nullptr;
  const auto look = [](void*) -> void* { return st_thread_getspecific(wanted); };
  EXPECT_EQ(st_thread_join(st_thread_create(look, nullptr, 1, 0), &found), 0);
  return found;
}

void* run_on_default_stack(void (*body)()) {
  const auto start = [](void* argument) -> void* {
    reinterpret_cast<void (*)()>(argument)();
    return nullptr;
  };
  const st_thread_t thread = st_thread_create(start, reinterpret_cast<void*>(body), 1, 0);
  EXPECT_EQ(st_thread_join(thread, nullptr), 0);
  return thread;
}

int plain_key, destroyed_key, later_key;

ST_TEST(Keys, thread_on_a_used_stack_begins_with_none) {
  ASSERT_EQ(st_key_create(&plain_key, nullptr), 0);
  run_on_default_stack([] { st_thread_setspecific(plain_key, text("left")); });
  EXPECT_EQ(found_by_new_thread(plain_key), nullptr);
}

// The destructor of a later key sets an earlier one: nobody destroys that, and nobody inherits it.
ST_TEST(Keys, value_that_a_destructor_leaves_is_not_inherited) {
  ASSERT_EQ(st_key_create(&plain_key, nullptr), 0);
  ASSERT_EQ(
      st_key_create(&destroyed_key,
                    [](void*) { st_thread_setspecific(plain_key, text("left by a destructor")); }),
      0);
  run_on_default_stack([] { st_thread_setspecific(destroyed_key, text("x")); });
  EXPECT_EQ(found_by_new_thread(plain_key), nullptr);
}

ST_TEST(Keys, value_set_on_a_zombie_is_not_inherited) {
  ASSERT_EQ(st_key_create(&plain_key, nullptr), 0);
  const st_thread_t zombie =
      st_thread_create([](void*) -> void* { return nullptr; }, nullptr, 1, 0);
  st_tests::pass();
  EXPECT_EQ(st_thread_setspecific2(zombie, plain_key, text("late")), 0);
  ASSERT_EQ(st_thread_join(zombie, nullptr), 0);
  EXPECT_EQ(found_by_new_thread(plain_key), nullptr);
}

ST_TEST(Keys, value_that_a_destructor_sets_for_a_later_key_is_destroyed_too) {
  ASSERT_EQ(st_key_create(&destroyed_key,
                          [](void* value) {
                            note(value);
                            st_thread_setspecific(later_key, text("b"));
                          }),
            0);
  ASSERT_EQ(st_key_create(&later_key, note), 0);
  run_on_default_stack([] { st_thread_setspecific(destroyed_key, text("a")); });
  EXPECT_EQ(destroyed, "ab");
}

ST_TEST(Keys, destructors_may_wait_while_others_run) {
  ASSERT_EQ(st_key_create(&destroyed_key,
                          [](void* value) {
                            st_usleep(1'000);
                            note(value);
                          }),
            0);
  {
    std::vector<Thread> threads;
    for (const char* letter : {"a", "b", "c"})
      threads.emplace_back([letter] { st_thread_setspecific(destroyed_key, text(letter)); });
    st_thread_yield();
    EXPECT_EQ(destroyed, "");
  }
  EXPECT_EQ(destroyed, "abc");
}

ST_TEST(Keys, sixteen_keys_in_a_thousand_threads_do_not_mix) {
  std::vector<int> keys(static_cast<size_t>(st_key_getlimit()));
  for (int& key : keys) ASSERT_EQ(st_key_create(&key, nullptr), 0);
  std::vector<Thread> threads;
  for (uintptr_t i = 0; i < 1'000; ++i)
    threads.emplace_back([&keys, i] {
      for (const int key : keys)
        st_thread_setspecific(key, reinterpret_cast<void*>(i * 100 + static_cast<uintptr_t>(key)));
      st_thread_yield();
      for (const int key : keys)
        EXPECT_EQ(reinterpret_cast<uintptr_t>(st_thread_getspecific(key)),
                  i * 100 + static_cast<uintptr_t>(key));
    });
}

}  // namespace
