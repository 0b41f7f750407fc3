// The end of a connection that has refused a request: the answer must not be lost to a reset.
#include "baselines/tests/handler_driver.h"

namespace baselines::test {
namespace {

const std::string kTooLarge = get("/plaintext", "Content-Length: 99999999\r\n");

// A driver that has refused a request and shut down its sending side.
void refuse(Driver& driver) {
  EXPECT_EQ(status_of(driver.feed(kTooLarge)), 413);
  ASSERT_EQ(driver.connection.want(), Want::shut_down);
  driver.connection.has_shut_down(driver.now);
  ASSERT_TRUE(driver.waiting());
}

TEST(Goodbye, what_still_comes_is_taken_and_not_answered) {
  Driver driver;
  refuse(driver);
  EXPECT_EQ(driver.feed(get("/plaintext")), "");
  EXPECT_EQ(driver.feed(std::string(100000, 'x')), "");
  EXPECT_TRUE(driver.waiting());
  EXPECT_EQ(driver.slot.requests.load(), 1u);
}

TEST(Goodbye, ends_with_the_client) {
  Driver driver;
  refuse(driver);
  EXPECT_EQ(driver.end(), "");
  EXPECT_EQ(driver.connection.want(), Want::close);
}

TEST(Goodbye, ends_after_two_seconds_however_busy_the_client) {
  Driver driver;
  refuse(driver);
  driver.feed("still here");
  EXPECT_EQ(driver.connection.deadline(), kStart + std::chrono::seconds(2));
  EXPECT_EQ(driver.time_out(), "");
  EXPECT_EQ(driver.connection.want(), Want::close);
}

TEST(Goodbye, ends_after_sixteen_mebibytes) {
  Driver driver;
  refuse(driver);
  const std::string mebibyte(kMiB, 'x');
  for (int i = 0; i < 15; ++i) driver.feed(mebibyte);
  EXPECT_TRUE(driver.waiting());
  driver.feed(mebibyte);
  EXPECT_EQ(driver.connection.want(), Want::close);
}

TEST(Goodbye, is_not_said_to_a_client_that_has_ended_its_side) {
  Driver driver;
  driver.connection.advance(kTooLarge, driver.now);
  driver.connection.end_of_input(driver.now);
  EXPECT_EQ(status_of(driver.drain()), 413);
  EXPECT_EQ(driver.connection.want(), Want::close);
}

TEST(Goodbye, holds_no_memory_while_it_waits) {
  const std::ptrdiff_t before = BufferPool::statistics().borrowed;
  Driver driver;
  refuse(driver);
  driver.feed("x");
  EXPECT_EQ(BufferPool::statistics().borrowed, before);
}

TEST(Goodbye, a_client_that_takes_too_long_over_a_head_gets_one) {
  Driver driver;
  driver.feed("GET /");
  EXPECT_EQ(status_of(driver.time_out()), 408);
  EXPECT_EQ(driver.connection.want(), Want::shut_down);
}

TEST(Goodbye, an_orderly_end_needs_none) {
  Driver driver;
  driver.feed(get("/plaintext", "Connection: close\r\n"));
  EXPECT_EQ(driver.connection.want(), Want::close);
}

}  // namespace
}  // namespace baselines::test
