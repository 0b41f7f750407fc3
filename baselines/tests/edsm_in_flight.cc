// What a completion loop relies on: bytes that the kernel is sending stay where they are, whatever
// else happens to the connection.
#include <gtest/gtest.h>

#include "baselines/tests/handler_driver.h"

namespace baselines::test {
namespace {

constexpr std::string_view kGet = "GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kLarge = "GET /bytes/100000 HTTP/1.1\r\nHost: a\r\n\r\n";

struct InFlight {
  explicit InFlight(const Connection& connection) {
    for (const iovec& piece : connection.output()) {
      pieces.push_back(piece);
      said.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
  }
  std::string now() const {
    std::string text;
    for (const iovec& piece : pieces) {
      text.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    return text;
  }
  std::vector<iovec> pieces;
  std::string said;
};

void advance(Driver& driver, std::string_view bytes) {
  driver.connection.advance({bytes.data(), bytes.size()}, driver.now);
}

TEST(InFlight, more_requests_change_nothing_of_what_is_being_sent) {
  Driver driver;
  advance(driver, kLarge);
  const InFlight flight(driver.connection);
  // More than there is room for in the output, so some of it is kept as input.
  for (int i = 0; i < 200; ++i) advance(driver, i % 2 == 0 ? kGet : kLarge);
  EXPECT_EQ(flight.now(), flight.said);
  // What was sent is the beginning of what is then still to be sent.
  ASSERT_EQ(driver.connection.sent(flight.said.size(), driver.now), Want::output);
}

TEST(InFlight, neither_the_end_of_the_input_nor_a_malformed_request_does) {
  Driver driver;
  advance(driver, kGet);
  const InFlight flight(driver.connection);
  advance(driver, "nonsense\r\n\r\n");
  driver.connection.end_of_input(driver.now);
  EXPECT_EQ(flight.now(), flight.said);
  EXPECT_EQ(driver.connection.want(), Want::output);
}

TEST(InFlight, a_timer_that_comes_too_early_does_not_either) {
  Driver driver;
  advance(driver, kGet);
  const InFlight flight(driver.connection);
  driver.connection.timed_out(driver.connection.deadline() - std::chrono::nanoseconds(1));
  EXPECT_EQ(flight.now(), flight.said);
  EXPECT_EQ(driver.connection.want(), Want::output);
}

}  // namespace
}  // namespace baselines::test
