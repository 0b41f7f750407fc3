#include "harness/stload/arrivals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "harness/stload/percentile.h"

namespace stload {
namespace {

const Time kStart{std::chrono::hours(1)};

std::vector<Time> take(Arrivals& arrivals, int count) {
  std::vector<Time> times;
  for (int i = 0; i < count; ++i) times.push_back(arrivals.next());
  return times;
}

TEST(Arrivals, constant_ones_do_not_drift) {
  std::mt19937_64 random;
  Arrivals arrivals(Spacing::constant, 3, 0, kStart, random);
  const std::vector<Time> times = take(arrivals, 3'000'001);
  EXPECT_EQ(times[0], kStart);
  EXPECT_EQ(times[1], kStart + Duration(333'333'333));
  EXPECT_EQ(times[3'000'000], kStart + std::chrono::seconds(1'000'000));
}

TEST(Arrivals, constant_streams_of_several_processes_interleave) {
  std::mt19937_64 random;
  std::vector<Time> all;
  for (int i = 0; i < 4; ++i) {
    Arrivals share(Spacing::constant, 1000.0 / 4, i / 4.0, kStart, random);
    const std::vector<Time> times = take(share, 250);
    all.insert(all.end(), times.begin(), times.end());
  }
  std::sort(all.begin(), all.end());
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(all[static_cast<std::size_t>(i)], kStart + std::chrono::milliseconds(i));
  }
}

TEST(Arrivals, poisson_ones_have_the_rate_and_its_spread) {
  std::mt19937_64 random(7);
  Arrivals arrivals(Spacing::poisson, 1000, 0, kStart, random);
  constexpr int kCount = 100'000;
  const std::vector<Time> times = take(arrivals, kCount);
  ASSERT_TRUE(std::is_sorted(times.begin(), times.end()));
  double sum = 0, squares = 0;
  for (std::size_t i = 1; i < times.size(); ++i) {
    const double gap_ms = 1e3 * seconds(times[i] - times[i - 1]);
    sum += gap_ms;
    squares += gap_ms * gap_ms;
  }
  // Mean and deviation of exponential gaps are equal; 2 % are six standard errors of the mean.
  const double mean = sum / (kCount - 1);
  EXPECT_NEAR(mean, 1, 0.02);
  EXPECT_NEAR(std::sqrt(squares / (kCount - 1) - mean * mean), 1, 0.03);
}

TEST(Arrivals, the_same_seed_gives_the_same_times) {
  std::mt19937_64 one(5), other(5), third(6);
  Arrivals a(Spacing::poisson, 10, 0, kStart, one);
  Arrivals b(Spacing::poisson, 10, 0, kStart, other);
  Arrivals c(Spacing::poisson, 10, 0, kStart, third);
  const std::vector<Time> times = take(a, 100);
  EXPECT_EQ(times, take(b, 100));
  EXPECT_NE(times, take(c, 100));
}

// A server on a clock that is not real: 2 ms for each request, one in a hundred 200 ms, and nothing
// is answered for one second from the fourth on.
class KnownServer {
 public:
  Time answer(Time asked) {
    const Duration delay = std::chrono::milliseconds(++requests_ % 100 == 0 ? 200 : 2);
    const Time due = asked + delay, stall = kStart + std::chrono::seconds(4);
    const bool stalled = due >= stall && due < stall + std::chrono::seconds(1);
    return stalled ? stall + std::chrono::seconds(1) : due;
  }

 private:
  int requests_ = 0;
};

double ms(const Histogram& latency, std::uint64_t rank) {
  return 1e3 * seconds(latency.at_rank(rank));
}

TEST(Stall, is_in_the_percentiles_of_an_open_loop) {
  std::mt19937_64 random;
  Arrivals arrivals(Spacing::constant, 1000, 0, kStart, random);
  KnownServer server;
  Histogram latency;
  for (int i = 0; i < 10'000; ++i) {
    const Time due = arrivals.next();
    latency.add(server.answer(due) - due);
  }
  // Of 10,000 requests 1,000 meet the stall and wait from 2 ms to 1 s, evenly; of the others 90
  // take 200 ms (and the 20 or so slow ones whose end falls into the stall longer).
  EXPECT_NEAR(ms(latency, 5'000), 2, 0.04);
  EXPECT_NEAR(ms(latency, 9'900), 902, 0.02 * 902);
  EXPECT_NEAR(ms(latency, 9'500), 502, 0.02 * 502);
}

TEST(Stall, is_hidden_by_a_closed_loop) {
  KnownServer server;
  Histogram latency;
  for (Time now = kStart; now < kStart + std::chrono::seconds(10);) {
    const Time end = server.answer(now);
    latency.add(end - now);
    now = end;
  }
  // It is one request of thousands: only the maximum knows.
  EXPECT_NEAR(ms(latency, latency.count() * 98 / 100), 2, 0.04);
  EXPECT_NEAR(ms(latency, latency.count() * 995 / 1000), 200, 4);
  EXPECT_GT(ms(latency, latency.count()), 900);
}

}  // namespace
}  // namespace stload
