// st.hpp: work in helpers and bells. The helpers of a process stay, so these tests are processes of
// their own that may leave something behind.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>

#include "isolated.h"
#include "st.hpp"

using namespace std::chrono_literals;

namespace {

ST_PROCESS_TEST(HppOffload, returns_or_throws_what_the_work_does) {
  st::init();
  EXPECT_EQ(*st::offload([] { return std::make_unique<int>(42); }), 42);
  const auto here = std::this_thread::get_id();
  EXPECT_NE(st::offload([] { return std::this_thread::get_id(); }), here);
  bool ran = false;
  st::offload([&] { ran = true; });
  EXPECT_TRUE(ran);
  EXPECT_THROW(st::offload([]() -> int { throw std::out_of_range("far"); }), std::out_of_range);
}

ST_PROCESS_TEST(HppOffload, without_a_deadline_an_interrupt_does_not_leave_the_work_behind) {
  st::init();
  std::binary_semaphore may_end(0);
  std::error_code met;
  bool ended = false;
  st::thread caller([&] {
    bool local = false;
    st::offload([&] {
      may_end.acquire();
      local = true;
    });
    ended = local;
    st::sleep_for(1h, met);
  });
  st::sleep_for(1ms);
  caller.interrupt();
  st::sleep_for(1ms);
  EXPECT_FALSE(ended);
  may_end.release();
  caller.join();
  EXPECT_TRUE(ended);
  EXPECT_EQ(met, st::interrupted);
}

ST_PROCESS_TEST(HppOffload, with_a_deadline_the_work_is_left_to_itself) {
  st::init();
  auto may_end = std::make_shared<std::binary_semaphore>(0);
  auto ended = std::make_shared<std::binary_semaphore>(0);
  try {
    st::offload(
        [may_end, ended] {
          may_end->acquire();
          ended->release();
        },
        1ms);
    FAIL() << "it was waited for";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), st::timed_out);
  }
  may_end->release();
  ended->acquire();
  while (may_end.use_count() > 1) st::sleep_for(1ms);  // what the work owned is destroyed here
}

ST_PROCESS_TEST(HppResolve, finds_numbers_and_says_why_not) {
  st::init();
  const auto found = st::resolve("127.0.0.1", "8080");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].to_string(), "127.0.0.1:8080");
  std::error_code ec;
  EXPECT_TRUE(st::resolve("127.0.0.1", "no such service", {}, ec).empty());
  EXPECT_EQ(std::string(ec.category().name()), "getaddrinfo");
}

ST_TEST(HppBell, counts_its_rings) {
  st::bell bell;
  bell.ring();
  bell.ring();
  EXPECT_EQ(bell.wait(), 2);
  std::error_code ec;
  bell.wait(1ms, ec);
  EXPECT_EQ(ec, st::timed_out);
}

ST_TEST(HppBell, wakes_from_another_kernel_thread) {
  st::bell bell;
  std::thread ringer([&] { bell.ring(); });
  EXPECT_EQ(bell.wait(20s), 1);
  ringer.join();
}

ST_TEST(HppBell, destroying_one_sends_its_thread_away) {
  auto bell = std::make_optional<st::bell>();
  std::error_code met;
  st::thread waiting([&] { bell->wait({}, met); });
  st::yield();
  bell.reset();
  waiting.join();
  EXPECT_EQ(met, st::canceled);
}

}  // namespace
