// What a program does wrong is answered with the documented errno, or ends the process with a
// sentence; it is never passed over.
#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <functional>

#include "isolated.h"
#include "support.h"

namespace {

using st_tests::error_name;
using st_tests::kLong;
using st_tests::kShort;
using st_tests::pass;
using st_tests::Thread;

void* end_at_once(void*) { return nullptr; }

#define EXPECT_FAILS_WITH(error, call)             \
  do {                                             \
    errno = 0;                                     \
    EXPECT_EQ((call), -1) << #call;                \
    EXPECT_EQ(error_name(errno), #error) << #call; \
  } while (0)

// --- Errors ---

ST_TEST(Misuse, unlocking_what_another_thread_or_nobody_has_locked) {
  const st_mutex_t lock = st_mutex_new();
  EXPECT_FAILS_WITH(EPERM, st_mutex_unlock(lock));
  ASSERT_EQ(st_mutex_lock(lock), 0);
  Thread([&] { EXPECT_FAILS_WITH(EPERM, st_mutex_unlock(lock)); }).join();
  EXPECT_FAILS_WITH(EDEADLK, st_mutex_lock(lock));
  EXPECT_EQ(st_mutex_unlock(lock), 0);
  EXPECT_FAILS_WITH(EPERM, st_mutex_unlock(lock));
  EXPECT_EQ(st_mutex_destroy(lock), 0);
}

ST_TEST(Misuse, joining_twice) {
  const st_thread_t ended = st_thread_create(end_at_once, nullptr, 1, 0);
  ASSERT_EQ(st_thread_join(ended, nullptr), 0);
  EXPECT_FAILS_WITH(EINVAL, st_thread_join(ended, nullptr));
  pass();
  EXPECT_FAILS_WITH(EINVAL, st_thread_join(ended, nullptr));
}

ST_TEST(Misuse, joining_twice_what_has_no_memory_any_more) {
  st_stack_cache(0);
  const st_thread_t first = st_thread_create(end_at_once, nullptr, 1, 0);
  const st_thread_t second = st_thread_create(end_at_once, nullptr, 1, 0);
  ASSERT_EQ(st_thread_join(first, nullptr), 0);
  ASSERT_EQ(st_thread_join(second, nullptr), 0);
  EXPECT_FAILS_WITH(EINVAL, st_thread_join(first, nullptr));
  st_thread_interrupt(first);  // of one that has ended: nothing to interrupt
}

ST_TEST(Misuse, joining_what_cannot_be_joined) {
  const st_thread_t first = st_thread_self();
  EXPECT_FAILS_WITH(EINVAL, st_thread_join(first, nullptr));
  const st_thread_t detached = st_thread_create(end_at_once, nullptr, 0, 0);
  EXPECT_FAILS_WITH(EINVAL, st_thread_join(detached, nullptr));
  pass();
  Thread joined([] { st_usleep(kShort); });
  Thread joiner([&] { EXPECT_EQ(st_thread_join(joined.handle(), nullptr), 0); });
  pass();
  EXPECT_FAILS_WITH(EINVAL, st_thread_join(joined.handle(), nullptr));
  joiner.join();
  new (&joined) Thread(std::move(joiner));  // it is joined already
  Thread([] { EXPECT_FAILS_WITH(EDEADLK, st_thread_join(st_thread_self(), nullptr)); }).join();
}

ST_TEST(Misuse, destroying_what_is_waited_for) {
  const st_cond_t cond = st_cond_new();
  const st_mutex_t lock = st_mutex_new();
  const st_bell_t bell = st_bell_new();
  st_mutex_lock(lock);
  Thread at_cond([&] { st_cond_wait(cond); });
  Thread at_lock([&] { st_mutex_lock(lock), st_mutex_unlock(lock); });
  Thread at_bell([&] { st_bell_wait(bell, kLong); });
  pass();
  EXPECT_FAILS_WITH(EBUSY, st_cond_destroy(cond));
  EXPECT_FAILS_WITH(EBUSY, st_mutex_destroy(lock));
  EXPECT_FAILS_WITH(EBUSY, st_bell_destroy(bell));
  st_cond_signal(cond), st_mutex_unlock(lock), st_bell_ring(bell);
  EXPECT_FAILS_WITH(EBUSY, st_cond_destroy(cond));  // nor before the woken thread has run
  at_cond.join(), at_lock.join(), at_bell.join();
  EXPECT_EQ(st_cond_destroy(cond), 0);
  EXPECT_EQ(st_mutex_destroy(lock), 0);
  EXPECT_EQ(st_bell_destroy(bell), 0);
}

ST_TEST(Misuse, closing_what_is_waited_for) {
  st_tests::Ends ends = st_tests::local_stream();
  Thread reader([&] { EXPECT_EQ(st_tests::read_some(ends.st, 1), "x"); });
  pass();
  EXPECT_FAILS_WITH(EBUSY, st_netfd_close(ends.st));
  ends.peer.put("x");
  reader.join();
}

ST_TEST(Misuse, closing_twice_closes_no_other_descriptor) {
  const st_netfd_t netfd = st_tests::local_stream().st.release();
  ASSERT_EQ(st_netfd_close(netfd), 0);
  const auto [reading, writing] = st_tests::raw_pipe();  // takes the number
  EXPECT_FAILS_WITH(EBADF, st_netfd_close(netfd));
  writing.put("x");
  EXPECT_EQ(reading.get(1), "x");
}

ST_TEST(Misuse, numbers_that_make_no_sense) {
  EXPECT_EQ(st_thread_create(end_at_once, nullptr, 0, -1), nullptr);
  EXPECT_EQ(error_name(errno), "EINVAL");
  EXPECT_FAILS_WITH(EINVAL, st_thread_setspecific(99, nullptr));
  EXPECT_FAILS_WITH(EINVAL, st_offload_limit(0));
  EXPECT_FAILS_WITH(EINVAL, st_offload_limit(-1));
  EXPECT_EQ(st_offload_limit(3), 16);
  EXPECT_EQ(st_offload_limit(16), 3);
  EXPECT_FAILS_WITH(EBUSY, st_set_eventsys(ST_EVENTSYS_ALT));
  EXPECT_FAILS_WITH(EINVAL, st_set_utime_function(nullptr));
}

// --- Sentences ---

void expect_aborts(const char* sentence, const std::function<void()>& misuse) {
  EXPECT_EXIT(misuse(), testing::KilledBySignal(SIGABRT), sentence);
}

ST_PROCESS_TEST(Misuse, before_st_init_is_said) {
  static const st_mutex_t lock = st_mutex_new();
  static const st_cond_t cond = st_cond_new();
  static const auto [raw, unused] = st_tests::raw_pair(SOCK_STREAM);
  static_cast<void>(unused);
  static int key;
  st_key_create(&key, nullptr);
  const std::function<void()> calls[] = {
      [] { st_thread_create(end_at_once, nullptr, 0, 0); },
      [] { st_thread_exit(nullptr); },
      [] { st_thread_yield(); },
      [] { st_usleep(0); },
      [] { st_sleep(1); },
      [] { st_cond_wait(cond); },
      [] { st_cond_timedwait(cond, 1); },
      [] { st_mutex_lock(lock); },
      [] { st_mutex_trylock(lock); },
      [] { st_thread_setspecific(key, &key); },
      [] { st_thread_getspecific(key); },
      [] { st_poll(nullptr, 0, 1); },
      [] { st_tests::read_some(st_netfd_open(raw.fd()), 1, 1); },
      [] { st_netfd_poll(st_netfd_open(raw.fd()), POLLIN, 1); },
      [] { st_bell_wait(st_bell_new(), 1); },
      [] { st_offload(end_at_once, nullptr, nullptr, kLong); },
      [] { st_getaddrinfo("localhost", nullptr, nullptr, nullptr, kLong); },
  };
  for (const auto& call : calls) expect_aborts("^st: .*before st_init\\(\\)", call);
  EXPECT_FAILS_WITH(EPERM, st_mutex_unlock(lock));
}

ST_PROCESS_TEST(Misuse, work_in_a_helper_that_uses_the_library_is_said) {
  ASSERT_EQ(st_init(), 0);
  const auto sleep = [](void*) -> void* {
    st_usleep(1);
    return nullptr;
  };
  expect_aborts("^st: .*before st_init\\(\\)", [&] { st_offload(sleep, nullptr, nullptr, kLong); });
}

ST_PROCESS_TEST(Misuse, waiting_on_the_shared_stack_is_said) {
  if (st_tests::sanitized()) GTEST_SKIP() << "there is no shared stack then";
  ASSERT_EQ(st_init(), 0);
#ifdef __x86_64__
  void (*const waits[])(void*) = {[](void*) { st_usleep(1); }, [](void*) { st_thread_yield(); }};
  for (const auto wait : waits)
    expect_aborts("^st: .*inside st_leaf_call\\(\\)", [wait] { st_leaf_call(wait, nullptr); });
#endif
}

// Runs `use` in a kernel thread with a scheduler of its own.
void in_another_scheduler(void (*use)()) {
  pthread_t thread;
  const auto body = [](void* function) -> void* {
    st_init();
    reinterpret_cast<void (*)()>(function)();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, nullptr, body, reinterpret_cast<void*>(use)), 0);
  ASSERT_EQ(pthread_join(thread, nullptr), 0);
}

// What belongs to the first scheduler. Its thread sleeps, and its lock is held.
struct Owned {
  st_thread_t sleeper, waiter;
  st_mutex_t lock;
  st_cond_t cond;
  st_netfd_t netfd;
  int key;
} owned;

ST_PROCESS_TEST(Misuse, objects_of_another_scheduler_are_refused_with_a_sentence) {
  ASSERT_EQ(st_init(), 0);
  owned.lock = st_mutex_new();
  owned.cond = st_cond_new();
  auto [raw, peer] = st_tests::raw_pair(SOCK_STREAM);
  owned.netfd = st_netfd_open_socket(raw.release());
  st_key_create(&owned.key, nullptr);
  const auto wait = [](void*) -> void* {
    st_cond_wait(owned.cond);
    return nullptr;
  };
  owned.waiter = st_thread_create(wait, nullptr, 1, 0);
  pass();
  st_mutex_lock(owned.lock);
  void (*const uses[])() = {
      [] { st_thread_join(owned.waiter, nullptr); },
      [] { st_thread_interrupt(owned.waiter); },
      [] { st_thread_setspecific2(owned.waiter, owned.key, &owned); },
      [] { st_mutex_lock(owned.lock); },
      [] { st_cond_signal(owned.cond); },
      [] { st_cond_broadcast(owned.cond); },
      [] { st_tests::read_some(owned.netfd, 1, kShort); },
      [] { st_netfd_poll(owned.netfd, POLLIN, kShort); },
      [] { st_netfd_close(owned.netfd); },
      [] { st_netfd_free(owned.netfd); },
  };
  for (const auto use : uses)
    expect_aborts("^st: .*another kernel thread", [use] { in_another_scheduler(use); });
  in_another_scheduler([] { EXPECT_FAILS_WITH(EPERM, st_mutex_unlock(owned.lock)); });
}

}  // namespace
