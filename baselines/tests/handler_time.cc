// Deadlines and the end of input, with a clock that the tests move.
#include "baselines/tests/handler_driver.h"

namespace baselines::test {
namespace {

using namespace std::chrono_literals;

TEST(Deadlines, an_idle_client_is_left_without_a_word) {
  Driver driver;
  EXPECT_EQ(driver.connection.deadline(), kStart + 60s);
  EXPECT_EQ(driver.time_out(), "");
  EXPECT_TRUE(driver.closed());
  EXPECT_EQ(driver.slot.requests.load(), 0u);
}

TEST(Deadlines, a_client_that_stops_within_a_request_is_told) {
  for (const std::string& part : {std::string("G"), std::string("GET / HTTP/1.1\r\nHost: test\r\n"),
                                  get("/", "Content-Length: 3\r\n") + "a"}) {
    Driver driver;
    EXPECT_EQ(driver.feed(part), "");
    const std::string answer = driver.time_out();
    EXPECT_EQ(status_of(answer), 408) << part;
    EXPECT_EQ(field_of(answer, "Connection"), "close");
    EXPECT_TRUE(driver.closed());
    EXPECT_EQ(driver.slot.errors.load(), 1u);
  }
}

TEST(Deadlines, single_bytes_earn_nothing) {
  Driver driver;
  const std::string request = get("/plaintext");
  for (std::size_t i = 0; i + 1 < request.size(); ++i) {
    driver.now += 1s;
    driver.feed(request.substr(i, 1));
    ASSERT_EQ(driver.connection.deadline(), kStart + 60s);
  }
}

TEST(Deadlines, a_whole_request_earns_a_new_one) {
  Driver driver;
  driver.now += 59s;
  driver.connection.advance(get("/plaintext"), driver.now);
  EXPECT_EQ(driver.connection.deadline(), driver.now + 60s);
}

TEST(Deadlines, taken_output_earns_a_new_one) {
  Driver driver;
  driver.connection.advance(get("/bytes/1000000"), driver.now);
  driver.now += 59s;
  driver.connection.sent(1, driver.now);
  EXPECT_EQ(driver.connection.deadline(), driver.now + 60s);
}

TEST(Deadlines, a_client_that_takes_nothing_is_left) {
  Driver driver;
  driver.connection.advance(get("/bytes/1000000"), driver.now);
  EXPECT_EQ(driver.connection.timed_out(driver.connection.deadline()), Want::close);
  EXPECT_TRUE(driver.connection.output().empty());
}

TEST(Deadlines, a_client_that_does_not_take_its_408_is_left) {
  Driver driver;
  driver.feed("GET");
  driver.now = driver.connection.deadline();
  ASSERT_EQ(driver.connection.timed_out(driver.now), Want::output);
  EXPECT_EQ(driver.connection.deadline(), driver.now + 60s);
  EXPECT_EQ(driver.connection.timed_out(driver.connection.deadline()), Want::close);
}

TEST(Deadlines, a_timer_that_fires_early_changes_nothing) {
  Driver driver;
  driver.feed("GET");
  EXPECT_EQ(driver.connection.timed_out(driver.connection.deadline() - 1ns), Want::input);
}

TEST(Deadlines, the_clock_of_servers_moves_forward) {
  const Clock::time_point first = Clock::now();
  EXPECT_LE(first, Clock::now());
  EXPECT_GT(first.time_since_epoch().count(), 0);
}

TEST(HalfClose, between_requests_it_is_the_end) {
  Driver driver;
  driver.feed(get("/plaintext"));
  EXPECT_EQ(driver.end(), "");
  EXPECT_TRUE(driver.closed());
}

TEST(HalfClose, at_once_it_is_the_end) {
  Driver driver;
  EXPECT_EQ(driver.end(), "");
  EXPECT_TRUE(driver.closed());
}

TEST(HalfClose, within_a_request_it_is_an_error) {
  Driver driver;
  driver.feed("GET / HT");
  EXPECT_EQ(status_of(driver.end()), 400);
  EXPECT_TRUE(driver.closed());
}

TEST(HalfClose, what_was_asked_before_is_still_answered) {
  // Much more than one output holds, so most of it is still kept when the end comes.
  std::string input;
  for (int i = 0; i < 500; ++i) input += get("/plaintext");
  for (const bool cut : {false, true}) {
    Driver driver;
    driver.connection.advance(cut ? input + "GET /" : input, driver.now);
    ASSERT_EQ(driver.connection.end_of_input(driver.now), Want::output);
    const auto answers = split_answers(driver.drain(1234));
    ASSERT_EQ(answers.size(), cut ? 501u : 500u);
    EXPECT_EQ(status_of(answers.back()), cut ? 400 : 200);
    EXPECT_TRUE(driver.closed());
  }
}

}  // namespace
}  // namespace baselines::test
