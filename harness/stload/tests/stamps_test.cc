#include "harness/stload/stamps.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <string>

namespace stload {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;

constexpr Duration kAhead = hours(400'000);  // of our clock: about now
constexpr Time kAsked{hours(5)};
constexpr Time kRead = kAsked + microseconds(2000);

Duration day(Time time) { return time.time_since_epoch() + kAhead; }

TEST(Stamps, a_stamp_is_converted_to_our_clock) {
  Stamps stamps(kAhead);
  const Time arrived = kAsked + microseconds(1900);
  EXPECT_EQ(stamps.arrival(day(arrived), kAsked, kRead), arrived);
  EXPECT_EQ(stamps.arrival(day(kAsked), kAsked, kRead), kAsked);
  EXPECT_EQ(stamps.arrival(day(kRead), kAsked, kRead), kRead);
}

TEST(Stamps, an_answer_from_before_its_request_or_after_its_reading_has_no_time) {
  const Duration wrong[] = {day(kAsked) - Duration(1), day(kRead) + Duration(1),
                            day(kRead) - hours(1), day(kRead) + hours(1), Duration(0)};
  for (const Duration stamp : wrong) {
    Stamps stamps(kAhead);
    EXPECT_EQ(stamps.arrival(stamp, kAsked, kRead), std::nullopt) << stamp.count();
    EXPECT_TRUE(stamps.clock_was_set());
  }
}

TEST(Stamps, a_clock_that_was_set_is_noticed_without_an_impossible_stamp) {
  EXPECT_FALSE(Stamps().clock_was_set());
  EXPECT_TRUE(Stamps(kAhead).clock_was_set());  // which is not the distance today
}

// A pair of TCP sockets, theirs and ours.
struct Pair {
  Pair() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener, any, size), 0);
    EXPECT_EQ(listen(listener, 1), 0);
    EXPECT_EQ(getsockname(listener, any, &size), 0);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(connect(fd, any, size), 0);
    Stamps::ask_for(fd);
    theirs = accept(listener, nullptr, nullptr);
    const int on = 1;
    setsockopt(theirs, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    close(listener);
    EXPECT_EQ(st_init(), 0);
    ours = st_netfd_open_socket(fd);
  }
  ~Pair() {
    close(theirs);
    st_netfd_close(ours);
  }

  Time send(const std::string& text) const {
    EXPECT_EQ(::send(theirs, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return Clock::now();
  }

  int theirs;
  st_netfd_t ours;
};

TEST(Stamps, of_several_segments_read_at_once_the_last_one_counts) {
  Stamps stamps;
  const Pair pair;
  char buffer[64];
  std::optional<Duration> stamp;
  // The kernel begins to stamp some time after it was asked to.
  const Time patience = Clock::now() + std::chrono::seconds(60);
  while (!stamp && Clock::now() < patience) {
    pair.send("x");
    ASSERT_EQ(Stamps::read(pair.ours, buffer, ST_UTIME_NO_TIMEOUT, stamp), 1);
  }
  ASSERT_TRUE(stamp);

  const Time first = pair.send("abc");
  const Time last = pair.send("def");
  ASSERT_EQ(Stamps::read(pair.ours, buffer, ST_UTIME_NO_TIMEOUT, stamp), 6);
  ASSERT_TRUE(stamp);
  const auto arrived = stamps.arrival(*stamp, first, Clock::now());
  ASSERT_TRUE(arrived);
  EXPECT_LE(*arrived, last);
}

TEST(Stamps, the_end_of_a_stream_has_none) {
  const Stamps stamps;
  const Pair pair;
  shutdown(pair.theirs, SHUT_WR);
  char buffer[64];
  std::optional<Duration> stamp = Duration(1);
  EXPECT_EQ(Stamps::read(pair.ours, buffer, ST_UTIME_NO_TIMEOUT, stamp), 0);
  EXPECT_EQ(stamp, std::nullopt);
}

}  // namespace
}  // namespace stload
