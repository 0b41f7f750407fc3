// How each kind of wait begins and ends inside: who holds the thread, and that nothing of the wait
// remains, however it ended.
#include <errno.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "isolated.h"
#include "support.h"
#include "thread.h"

namespace {

using st::State;
using st_tests::Ends;
using st_tests::error_name;
using st_tests::kLong;
using st_tests::kShort;
using st_tests::pass;
using st_tests::Thread;

// Everything that a thread can wait for.
struct World {
  st_cond_t cond = st_cond_new();
  st_mutex_t lock = st_mutex_new();
  Ends ends = st_tests::local_stream();
  Ends full = st_tests::pipe_to_write();
  Thread target{[] { st_sleep(-1); }};

  World() {
    EXPECT_EQ(st_mutex_lock(lock), 0);
    const std::string page(4096, 'x');
    while (write(st_netfd_fileno(full.st), page.data(), page.size()) > 0) {
    }
    pass();
  }
  ~World() {
    EXPECT_EQ(st_mutex_unlock(lock), 0);
    EXPECT_EQ(st_mutex_destroy(lock), 0);
    EXPECT_EQ(st_cond_destroy(cond), 0);
    st_thread_interrupt(target.handle());
  }
};

struct Kind {
  const char* name;
  State state;
  bool timed;  // whether a timer is armed meanwhile
  int (*wait)(World& world);
};

int poll_two(World& world) {
  pollfd entries[] = {{st_netfd_fileno(world.ends.st), POLLIN, 0},
                      {st_netfd_fileno(world.full.st), POLLOUT, 0}};
  return st_poll(entries, 2, kLong);
}

int read_byte(World& world) {
  char byte;
  return static_cast<int>(st_read(world.ends.st, &byte, 1, ST_UTIME_NO_TIMEOUT));
}

constexpr Kind kinds[] = {
    {"sleep", State::sleeping, true, [](World&) { return st_usleep(kLong); }},
    {"sleep without limit", State::sleeping, false, [](World&) { return st_sleep(-1); }},
    {"condition", State::on_cond, false, [](World& world) { return st_cond_wait(world.cond); }},
    {"condition with timeout", State::on_cond, true,
     [](World& world) { return st_cond_timedwait(world.cond, kLong); }},
    {"mutex", State::on_mutex, false, [](World& world) { return st_mutex_lock(world.lock); }},
    {"join", State::joining, false,
     [](World& world) { return st_thread_join(world.target.handle(), nullptr); }},
    {"poll", State::on_io, true, poll_two},
    {"read", State::on_io, false, read_byte},
    {"write", State::on_io, true,
     [](World& world) { return static_cast<int>(st_write(world.full.st, "x", 1, kLong)); }},
};

ST_TEST(Waits, interrupt_ends_every_kind_and_leaves_nothing) {
  for (const Kind& kind : kinds) {
    SCOPED_TRACE(kind.name);
    World world;
    int result = 0;
    int error = 0;
    Thread waiting([&] {
      result = kind.wait(world);
      error = errno;
    });
    pass();
    const st_thread_t thread = waiting.handle();
    EXPECT_EQ(thread->state, kind.state);
    EXPECT_EQ(thread->timer.armed(), kind.timed);

    st_thread_interrupt(thread);
    EXPECT_EQ(thread->state, State::runnable);
    EXPECT_FALSE(thread->timer.armed());
    EXPECT_TRUE(thread->interrupted);
    st_thread_interrupt(thread);  // one interrupt, however often

    waiting.join();
    EXPECT_EQ(result, -1);
    EXPECT_EQ(error_name(error), "EINTR");
  }
}

ST_TEST(Waits, pending_interrupt_ends_every_kind_once) {
  for (const Kind& kind : kinds) {
    SCOPED_TRACE(kind.name);
    World world;
    int result = 0;
    Thread waiting([&] {
      result = kind.wait(world);
      EXPECT_EQ(error_name(errno), "EINTR");
      EXPECT_FALSE(st_thread_self()->interrupted);
      EXPECT_EQ(st_usleep(0), 0) << "it was consumed";
    });
    st_thread_interrupt(waiting.handle());  // it has not run yet
    waiting.join();
    EXPECT_EQ(result, -1);
  }
}

ST_TEST(Waits, timeout_of_every_kind_leaves_nothing) {
  World world;
  pollfd entry = {st_netfd_fileno(world.ends.st), POLLIN, 0};
  char byte;
  const std::function<int()> timed[] = {
      [&] { return st_cond_timedwait(world.cond, kShort); },
      [&] { return st_netfd_poll(world.ends.st, POLLIN, kShort); },
      [&] { return static_cast<int>(st_read(world.ends.st, &byte, 1, kShort)); },
      [&] { return static_cast<int>(st_write(world.full.st, "x", 1, kShort)); },
      [&] { return st_accept(world.ends.st, nullptr, nullptr, kShort) ? 0 : -1; },
  };
  for (size_t i = 0; i + 1 < std::size(timed); ++i) {
    SCOPED_TRACE(i);
    const st_utime_t begin = st_utime();
    EXPECT_EQ(timed[i](), -1);
    EXPECT_EQ(error_name(errno), "ETIME");
    EXPECT_GE(st_utime() - begin, kShort);
    EXPECT_FALSE(st_thread_self()->timer.armed());
  }
  EXPECT_EQ(st_poll(&entry, 1, kShort), 0);
  EXPECT_FALSE(st_thread_self()->timer.armed());
}

ST_TEST(Waits, joiner_that_is_interrupted_just_before_the_target_ends) {
  Thread joiner_of_all([&] {
    const st_thread_t self = st_thread_self();
    const st_thread_t target = st_thread_create(
        [](void* joiner) -> void* {
          st_thread_interrupt(static_cast<st_thread_t>(joiner));
          return nullptr;
        },
        self, 1, 0);
    EXPECT_EQ(st_thread_join(target, nullptr), -1);
    EXPECT_EQ(error_name(errno), "EINTR");
    EXPECT_EQ(st_thread_join(target, nullptr), 0);
  });
  // Others in the run queue: they must still be there afterwards.
  int others = 0;
  std::vector<Thread> threads;
  for (int i = 0; i < 3; ++i) threads.emplace_back([&] { st_thread_yield(), ++others; });
  joiner_of_all.join();
  threads.clear();
  EXPECT_EQ(others, 3);
}

ST_TEST(Waits, joiner_that_is_interrupted_just_after_the_target_ended) {
  static st_thread_t joiner;
  joiner = st_thread_self();
  const st_thread_t target =
      st_thread_create([](void*) -> void* { return nullptr; }, nullptr, 1, 0);
  Thread interrupting([] { st_thread_interrupt(joiner); });
  EXPECT_EQ(st_thread_join(target, nullptr), -1);
  EXPECT_EQ(error_name(errno), "EINTR");
  EXPECT_EQ(st_thread_join(target, nullptr), 0);
}

st_utime_t still_clock = 1'000;

// All are timed out in one look, and the first to run then signals, interrupts and feeds the
// others, who are in the run queue already. One that is put there twice ties it into a knot.
ST_PROCESS_TEST(Waits, timed_out_thread_is_not_woken_a_second_time) {
  st_set_utime_function([] { return still_clock; });
  ASSERT_EQ(st_init(), 0);
  World world;
  std::string waited, read, slept;
  Thread by_signal([&] {
    EXPECT_EQ(st_cond_timedwait(world.cond, 10), -1);
    waited = error_name(errno);
  });
  Thread by_report([&] { read = st_tests::read_some(world.ends.st, 1, 10); });
  Thread by_interrupt([&] { slept = st_usleep(10) == 0 ? "0" : error_name(errno); });
  Thread meddler([&] {
    st_usleep(5);
    EXPECT_EQ(waited + read + slept, "")
        << "the others should have timed out, and not have run yet";
    st_cond_signal(world.cond);
    st_cond_broadcast(world.cond);
    st_thread_interrupt(by_interrupt.handle());
    world.ends.peer.put("x");
    st_usleep(0);
  });
  pass();
  still_clock += 20;
  meddler.join(), by_signal.join(), by_report.join(), by_interrupt.join();
  EXPECT_EQ(waited, "ETIME");
  EXPECT_EQ(read, "ETIME");
  EXPECT_EQ(slept, "EINTR");
}

// With a clock that leaps and threads that are always runnable, descriptors are looked at before
// every switch.
ST_PROCESS_TEST(Waits, report_does_not_wake_a_reader_that_is_awake_already) {
  st_set_utime_function([] { return still_clock += 1'000; });
  ASSERT_EQ(st_init(), 0);
  const Ends ends = st_tests::local_stream();
  std::string first, second;
  int others = 0;
  Thread reader([&] {
    first = st_tests::read_some(ends.st, 1, ST_UTIME_NO_TIMEOUT);
    second = st_tests::read_some(ends.st, 1, ST_UTIME_NO_TIMEOUT);
  });
  bool done = false;
  std::vector<Thread> threads;
  const auto yield_on = [&] {
    while (!done) st_thread_yield();
    ++others;
  };
  for (int i = 0; i < 3; ++i) threads.emplace_back(yield_on);
  for (int i = 0; i < 200; ++i) st_thread_yield();
  st_thread_interrupt(reader.handle());
  threads.emplace_back(yield_on);  // behind the reader in the run queue
  ends.peer.put("x");
  for (int i = 0; i < 200; ++i) st_thread_yield();
  reader.join();
  done = true;
  threads.clear();
  // A mechanism that carries out transfers may have carried out the first one.
  EXPECT_EQ((std::set{first, second}), (std::set<std::string>{"EINTR", "x"}));
  EXPECT_EQ(others, 4);
}

ST_TEST(Waits, interrupt_that_a_thread_has_not_noticed_dies_with_it) {
  const auto end_interrupted = [](void*) -> void* {
    st_thread_interrupt(st_thread_self());
    return nullptr;
  };
  const auto sleep = [](void*) -> void* {
    EXPECT_EQ(st_usleep(0), 0) << "interrupted by what was meant for another";
    return nullptr;
  };
  const st_thread_t first = st_thread_create(end_interrupted, nullptr, 1, 0);
  ASSERT_EQ(st_thread_join(first, nullptr), 0);
  const st_thread_t second = st_thread_create(sleep, nullptr, 1, 0);
  EXPECT_EQ(first, second) << "this is about a stack that is used again";
  ASSERT_EQ(st_thread_join(second, nullptr), 0);
}

// The rules about a lock and an interrupt that meet, seen from the owner's field.
ST_TEST(Waits, lock_that_was_handed_over_is_kept_in_spite_of_an_interrupt) {
  const st_mutex_t lock = st_mutex_new();
  ASSERT_EQ(st_mutex_lock(lock), 0);
  int first = -1;
  Thread given([&] {
    first = st_mutex_lock(lock);
    EXPECT_TRUE(st_thread_self()->interrupted) << "for its next wait";
    EXPECT_EQ(st_usleep(0), -1);
    EXPECT_EQ(st_mutex_unlock(lock), 0);
  });
  Thread interrupted([&] {
    EXPECT_EQ(st_mutex_lock(lock), -1);
    EXPECT_EQ(error_name(errno), "EINTR");
  });
  Thread last([&] {
    EXPECT_EQ(st_mutex_lock(lock), 0);
    EXPECT_EQ(st_mutex_unlock(lock), 0);
  });
  pass();
  st_thread_interrupt(interrupted.handle());
  ASSERT_EQ(st_mutex_unlock(lock), 0);
  st_thread_interrupt(given.handle());
  given.join(), interrupted.join(), last.join();
  EXPECT_EQ(first, 0);
  EXPECT_EQ(st_mutex_destroy(lock), 0);
}

int outs, ins;

ST_TEST(Waits, every_switch_out_has_its_switch_in) {
  st_set_switch_out_cb([] { ++outs; });
  st_set_switch_in_cb([] { ++ins; });
  std::vector<Thread> threads;
  for (int i = 0; i < 10; ++i)
    threads.emplace_back([i] {
      for (int round = 0; round < i; ++round) st_usleep(static_cast<st_utime_t>(round));
    });
  threads.clear();
  st_set_switch_out_cb(nullptr);
  st_set_switch_in_cb(nullptr);
  // The last thing that each of the ten did was to be left, the first to be entered.
  EXPECT_EQ(outs, ins);
  EXPECT_GT(outs, 20);
}

}  // namespace
