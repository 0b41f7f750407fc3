// Threads that never stop running starve neither descriptors nor timers.
#include <gtest/gtest.h>

#include <string>

#include "isolated.h"
#include "support.h"

namespace {

using st_tests::Ends;
using st_tests::kLong;
using st_tests::pass;
using st_tests::Thread;

// What a busy program must not starve: a sleeper and a reader.
struct Bystanders {
  bool timer_fired = false;
  bool data_read = false;
  Ends pipe = st_tests::pipe_to_read();
  Thread sleeper{[this] { timer_fired = st_usleep(2'000) == 0; }};
  Thread reader{[this] { data_read = st_tests::read_some(pipe.st, 1) == "x"; }};
  const st_utime_t give_up_at = st_utime() + kLong;

  Bystanders() { pipe.peer.put("x"); }
  bool waiting() const { return (!timer_fired || !data_read) && st_utime() < give_up_at; }
  void check() const {
    EXPECT_TRUE(timer_fired);
    EXPECT_TRUE(data_read);
  }
};

ST_TEST(Fairness, sleep_of_zero_looks_at_descriptors) {
  std::string got;
  Ends pipe = st_tests::pipe_to_read();
  Thread reader([&] { got = st_tests::read_some(pipe.st, 1); });
  pass();
  pipe.peer.put("x");
  pass();
  EXPECT_EQ(got, "x");
}

ST_TEST(Fairness, yielding_threads_starve_nobody) {
  Bystanders bystanders;
  const auto yield_on = [&] {
    while (bystanders.waiting()) st_thread_yield();
  };
  { Thread a(yield_on), b(yield_on); }
  bystanders.check();
}

ST_TEST(Fairness, thread_that_yields_while_all_others_wait_starves_nobody) {
  Bystanders bystanders;
  while (bystanders.waiting()) st_thread_yield();
  bystanders.check();
}

ST_TEST(Fairness, threads_that_wake_each_other_starve_nobody) {
  Bystanders bystanders;
  const st_cond_t ping = st_cond_new();
  const st_cond_t pong = st_cond_new();
  const auto play = [&](st_cond_t mine, st_cond_t other) {
    return [&, mine, other] {
      while (bystanders.waiting()) {
        st_cond_signal(other);
        st_cond_wait(mine);
      }
      st_cond_signal(other);
    };
  };
  { Thread a(play(ping, pong)), b(play(pong, ping)); }
  bystanders.check();
  EXPECT_EQ(st_cond_destroy(ping), 0);
  EXPECT_EQ(st_cond_destroy(pong), 0);
}

ST_TEST(Fairness, threads_that_hand_a_lock_over_starve_nobody) {
  Bystanders bystanders;
  const st_mutex_t lock = st_mutex_new();
  const auto lock_on = [&] {
    while (bystanders.waiting()) {
      st_mutex_lock(lock);
      st_thread_yield();
      st_mutex_unlock(lock);
    }
  };
  { Thread a(lock_on), b(lock_on); }
  bystanders.check();
  EXPECT_EQ(st_mutex_destroy(lock), 0);
}

ST_TEST(Fairness, threads_that_create_their_successors_starve_nobody) {
  Bystanders bystanders;
  while (bystanders.waiting()) Thread([] {}).join();
  bystanders.check();
}

ST_TEST(Fairness, conversation_over_a_socket_does_not_starve_a_timer) {
  Bystanders bystanders;
  st_tests::Both pair = st_tests::local_streams();
  Thread echo([&] {
    char byte;
    while (st_read(pair.b, &byte, 1, kLong) == 1) st_write(pair.b, &byte, 1, kLong);
  });
  char byte = 'x';
  while (bystanders.waiting()) {
    ASSERT_EQ(st_write(pair.a, &byte, 1, kLong), 1);
    ASSERT_EQ(st_read(pair.a, &byte, 1, kLong), 1);
  }
  bystanders.check();
  shutdown(st_netfd_fileno(pair.a), SHUT_WR);
}

}  // namespace
