// The timer wheel of the readiness loops, driven by a clock that only the tests move.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

#include "baselines/edsm/timer_wheel.h"

namespace baselines {
namespace {

using namespace std::chrono_literals;

constexpr Clock::time_point kStart{1000h};
constexpr Clock::duration kGrain = 50ms;  // more than two ticks of the wheel

struct Wheel {
  TimerWheel wheel;
  std::vector<Timer*> expire(Clock::time_point now) {
    std::vector<Timer*> expired;
    wheel.expire(now, [&](Timer& timer) { expired.push_back(&timer); });
    return expired;
  }
};

TEST(TimerWheel, expires_after_the_deadline_and_never_before) {
  Wheel w;
  Timer timer;
  w.wheel.schedule(timer, kStart + 1s, kStart);
  EXPECT_TRUE(w.expire(kStart + 999ms).empty());
  EXPECT_EQ(w.expire(kStart + 1s + kGrain), std::vector{&timer});
  EXPECT_EQ(w.wheel.size(), 0u);
}

TEST(TimerWheel, an_earlier_deadline_moves_a_timer_and_a_later_one_does_not) {
  Wheel w;
  Timer timer;
  w.wheel.schedule(timer, kStart + 10s, kStart);
  w.wheel.schedule(timer, kStart + 1s, kStart);
  w.wheel.schedule(timer, kStart + 20s, kStart);
  EXPECT_EQ(w.wheel.size(), 1u);
  EXPECT_EQ(w.expire(kStart + 1s + kGrain), std::vector{&timer});
}

TEST(TimerWheel, a_cancelled_timer_never_comes) {
  Wheel w;
  Timer one, other;
  w.wheel.schedule(one, kStart + 1s, kStart);
  w.wheel.schedule(other, kStart + 1s, kStart);
  w.wheel.cancel(one);
  w.wheel.cancel(one);
  EXPECT_EQ(w.expire(kStart + 2s), std::vector{&other});
}

TEST(TimerWheel, a_deadline_in_the_past_comes_with_the_next_tick) {
  Wheel w;
  Timer timer;
  w.wheel.schedule(timer, kStart - 1h, kStart);
  EXPECT_EQ(w.expire(kStart + kGrain), std::vector{&timer});
}

TEST(TimerWheel, a_deadline_beyond_the_round_is_looked_at_once_a_round) {
  Wheel w;
  Timer timer;
  w.wheel.schedule(timer, kStart + 24h, kStart);
  int looks = 0;
  for (auto now = kStart; looks < 3; now += 1s) {
    ASSERT_LT(now, kStart + 5min);
    w.wheel.expire(now, [&](Timer& passed) {
      ++looks;
      w.wheel.schedule(passed, kStart + 24h, now);
    });
  }
  EXPECT_EQ(w.wheel.size(), 1u);
}

TEST(TimerWheel, a_loop_that_slept_for_hours_finds_everything) {
  Wheel w;
  std::deque<Timer> timers(500);
  for (std::size_t i = 0; i < timers.size(); ++i) {
    w.wheel.schedule(timers[i], kStart + i * 100ms, kStart);
  }
  EXPECT_EQ(w.expire(kStart + 5h).size(), timers.size());
}

TEST(TimerWheel, an_empty_wheel_sleeps_for_ever_and_a_full_one_to_the_first_timer) {
  Wheel w;
  EXPECT_EQ(w.wheel.sleep_ms(kStart), -1);
  Timer early, late;
  w.wheel.schedule(late, kStart + 30s, kStart);
  EXPECT_NEAR(w.wheel.sleep_ms(kStart), 30'000, 50);
  w.wheel.schedule(early, kStart + 200ms, kStart);
  EXPECT_NEAR(w.wheel.sleep_ms(kStart), 200, 50);
  // Whoever sleeps that long finds it: no loop of naps that are a little too short.
  const auto woken = kStart + std::chrono::milliseconds(w.wheel.sleep_ms(kStart));
  EXPECT_EQ(w.expire(woken), std::vector{&early});
}

TEST(TimerWheel, agrees_with_a_plain_list_over_random_use) {
  std::mt19937 random(20000);
  Wheel w;
  std::deque<Timer> timers(200);
  std::vector<Clock::time_point> deadlines(timers.size(), Clock::time_point::max());
  auto now = kStart;
  for (int step = 0; step < 20'000; ++step) {
    const std::size_t i = random() % timers.size();
    if (random() % 4 == 0) {
      w.wheel.cancel(timers[i]);
      deadlines[i] = Clock::time_point::max();
    } else {
      const auto deadline = now + std::chrono::milliseconds(random() % 200'000);
      deadlines[i] = deadline;
      w.wheel.schedule(timers[i], deadline, now);
    }
    now += std::chrono::milliseconds(random() % 40);
    w.wheel.expire(now, [&](Timer& timer) {
      const auto index = static_cast<std::size_t>(
          std::find_if(timers.begin(), timers.end(), [&](Timer& t) { return &t == &timer; }) -
          timers.begin());
      ASSERT_NE(deadlines[index], Clock::time_point::max());
      if (deadlines[index] > now) return w.wheel.schedule(timer, deadlines[index], now);
      deadlines[index] = Clock::time_point::max();
    });
    for (const auto deadline : deadlines) ASSERT_GT(deadline, now - kGrain);
  }
}

}  // namespace
}  // namespace baselines
