// st.hpp: threads that stop and join by themselves, and what becomes of exceptions.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "isolated.h"
#include "st.hpp"

using namespace std::chrono_literals;

namespace {

int add_to(int& sum, std::unique_ptr<int> number) { return sum += *number; }

// What a call of the library that failed says.
template <class Call>
std::error_code error_of(Call call) {
  try {
    call();
  } catch (const std::system_error& error) {
    return error.code();
  }
  return {};
}

TEST(HppDeadline, durations_beyond_the_clock_are_never) {
  EXPECT_TRUE(st::deadline().never());
  EXPECT_TRUE(st::deadline(std::chrono::hours::max()).never());
  EXPECT_TRUE(st::deadline(std::chrono::duration<double>::max()).never());
  EXPECT_EQ(st::deadline(std::chrono::hours::max()).remaining(), ST_UTIME_NO_TIMEOUT);
}

TEST(HppDeadline, what_is_past_is_now) {
  EXPECT_TRUE(st::deadline(0s).passed());
  EXPECT_TRUE(st::deadline(-1h).passed());
  EXPECT_EQ(st::deadline(std::chrono::seconds::min()).remaining(), ST_UTIME_NO_WAIT);
  EXPECT_TRUE(st::deadline(std::chrono::system_clock::now() - 1h).passed());
}

TEST(HppDeadline, a_fraction_of_a_microsecond_is_not_rounded_away) {
  const st_utime_t before = st_utime();
  EXPECT_GE(st::deadline(1ns).remaining() + st_utime(), before + 1);
  EXPECT_GT(st::deadline(1h).remaining(), 3'599'000'000u);
  EXPECT_GT(st::deadline(std::chrono::steady_clock::now() + 1h).remaining(), 3'599'000'000u);
}

ST_TEST(HppThread, takes_arguments_that_can_only_be_moved) {
  int sum = 1;
  st::thread(add_to, std::ref(sum), std::make_unique<int>(4)).join();
  EXPECT_EQ(sum, 5);
}

ST_TEST(HppThread, what_it_captured_is_destroyed_when_it_ends_and_not_when_it_is_joined) {
  auto counted = std::make_shared<int>();
  st::thread thread([counted] {});
  EXPECT_EQ(counted.use_count(), 2);
  st::yield();
  EXPECT_EQ(counted.use_count(), 1);
  thread.join();
}

ST_TEST(HppThread, destruction_interrupts_and_joins) {
  bool ended = false;
  {
    st::thread thread([&] {
      struct at_end {
        bool& flag;
        ~at_end() { flag = true; }
      } guard{ended};
      st::sleep_for(1h);
    });
    st::yield();
  }
  EXPECT_TRUE(ended);
}

ST_TEST(HppThread, one_that_was_told_to_stop_before_it_began_is_interrupted_at_its_first_wait) {
  std::error_code met;
  bool told = false;
  {
    st::thread thread([&](std::stop_token stop) {
      told = stop.stop_requested() && st::stop_requested();
      st::sleep_for(1h, met);
    });
  }
  EXPECT_TRUE(told);
  EXPECT_EQ(met, st::interrupted);
}

ST_TEST(HppThread, its_stop_source_interrupts_too) {
  std::error_code met;
  st::thread thread([&] { st::sleep_for(1h, met); });
  st::yield();
  EXPECT_TRUE(thread.get_stop_source().request_stop());
  thread.join();
  EXPECT_EQ(met, st::interrupted);
  EXPECT_FALSE(st::stop_requested()) << "the first thread has no token";
}

ST_TEST(HppThread, an_interrupt_is_no_request_to_stop_and_met_once) {
  std::vector<std::error_code> met(2);
  bool told = true;
  st::thread thread([&] {
    st::sleep_for(1h, met[0]);
    st::sleep_for(1ms, met[1]);
    told = st::stop_requested();
  });
  st::yield();
  thread.interrupt();
  thread.join();
  EXPECT_EQ(met[0], st::interrupted);
  EXPECT_FALSE(met[1]);
  EXPECT_FALSE(told);
}

ST_TEST(HppThread, join_throws_what_escaped) {
  st::thread thread([] { throw std::runtime_error("the reason"); });
  try {
    thread.join();
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "the reason");
  }
  EXPECT_FALSE(thread.joinable());
}

ST_TEST(HppThread, join_does_not_throw_the_interrupt_of_a_stop_but_that_of_a_mere_interrupt) {
  st::thread stopped([] { st::sleep_for(1h); });
  st::thread interrupted([] { st::sleep_for(1h); });
  st::yield();
  stopped.request_stop();
  stopped.join();
  interrupted.interrupt();
  EXPECT_EQ(error_of([&] { interrupted.join(); }), st::interrupted);
}

ST_TEST(HppThread, what_escapes_after_a_stop_is_dropped_with_the_object) {
  st::thread thread([] {
    std::error_code ec;
    st::sleep_for(1h, ec);
    throw std::runtime_error("a consequence");
  });
  st::yield();
}

ST_PROCESS_TEST(HppThread, a_failure_that_nobody_joins_ends_the_program) {
  st::init();
  EXPECT_DEATH(
      {
        st::thread thread([] { throw std::runtime_error("unheard"); });
        st::yield();
      },
      "unheard");
  EXPECT_DEATH(
      {
        st::thread([] { throw std::runtime_error("unheard of"); }).detach();
        st::yield();
      },
      "unheard of");
}

ST_TEST(HppThread, an_interrupted_join_waits_on_and_the_interrupt_meets_the_next_wait) {
  std::error_code met;
  bool ended = false;
  st::thread sleeper([&] {
    st::sleep_for(5ms);
    ended = true;
  });
  st::thread joiner([&] {
    sleeper.join();
    EXPECT_TRUE(ended);
    st::sleep_for(1h, met);
  });
  st::yield();
  joiner.interrupt();
  joiner.join();
  EXPECT_EQ(met, st::interrupted);
}

ST_TEST(HppThread, joining_nothing_or_itself_is_an_error) {
  st::thread none;
  EXPECT_EQ(error_of([&] { none.join(); }), std::errc::invalid_argument);
  EXPECT_EQ(error_of([&] { none.detach(); }), std::errc::invalid_argument);
  st::thread self;
  std::error_code met;
  self = st::thread([&] { met = error_of([&] { self.join(); }); });
  self.join();
  EXPECT_EQ(met, std::errc::resource_deadlock_would_occur);
}

ST_TEST(HppThread, one_that_ends_by_st_thread_exit_can_be_joined) {
  auto counted = std::make_shared<int>();
  st::thread thread([counted] { st_thread_exit(nullptr); });
  thread.join();
  EXPECT_EQ(counted.use_count(), 1);
}

ST_TEST(HppThread, a_detached_one_goes_on) {
  bool ran = false;
  st::thread thread({.name = "left alone", .stack_size = 32 * 1024}, [&] {
    EXPECT_STREQ(st_thread_getname(st_thread_self()), "left alone");
    st::yield();
    ran = true;
  });
  thread.detach();
  st::yield();
  EXPECT_FALSE(ran);
  st::yield();
  EXPECT_TRUE(ran);
  st::thread ended([] {});
  st::yield();
  ended.detach();
}

ST_TEST(HppThread, assignment_stops_and_joins_the_one_before) {
  std::error_code met;
  st::thread thread([&] { st::sleep_for(1h, met); });
  st::yield();
  thread = st::thread([] {});
  EXPECT_EQ(met, st::interrupted);
  EXPECT_TRUE(thread.joinable());
}

ST_TEST(HppThread, a_stack_that_cannot_be_had_is_an_exception) {
  if (st_tests::sanitized())
    GTEST_SKIP() << "AddressSanitizer needs more addresses than this leaves";
  rlimit before;
  getrlimit(RLIMIT_AS, &before);
  const rlimit small{rlim_t{1} << 30, before.rlim_max};
  setrlimit(RLIMIT_AS, &small);
  const auto ec = error_of([] { st::thread({.name = "", .stack_size = 0x7fff0000}, [] {}); });
  setrlimit(RLIMIT_AS, &before);
  EXPECT_EQ(ec, std::errc::not_enough_memory);
}

}  // namespace
