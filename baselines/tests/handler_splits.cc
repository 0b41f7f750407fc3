// However the network cuts the input, and however slowly the output is taken, the bytes are the
// same.
#include <random>

#include "baselines/tests/handler_driver.h"

namespace baselines::test {
namespace {

// Requests of every kind, in an order in which each could harm the next.
std::string conversation() {
  return get("/plaintext") + "\r\n" + get("/bytes/3000") +
         "HEAD /bytes/100 HTTP/1.1\r\nHost: test\r\n\r\n" +
         get("/plaintext", "Content-Length: 4\r\n") + "body" +
         get("/plaintext", "Transfer-Encoding: chunked\r\n") + "3;e\r\nabc\r\n0\r\nT: t\r\n\r\n" +
         get("/nothing") + get("http://test/bytes/7?q") +
         "GET /plaintext HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" +
         get("/bytes/1", "Connection: close\r\n") + get("/plaintext");
}

std::string answers_to(const std::string& whole) {
  Driver driver;
  std::string answers = mask_dates(driver.feed(whole));
  EXPECT_TRUE(driver.closed());
  return answers;
}

TEST(Splits, a_cut_at_every_byte_changes_nothing) {
  const std::string input = conversation();
  const std::string expected = answers_to(input);
  for (std::size_t cut = 0; cut <= input.size(); ++cut) {
    Driver driver;
    std::string answers = driver.feed(input.substr(0, cut));
    answers += driver.feed(input.substr(cut));
    ASSERT_EQ(mask_dates(answers), expected) << "cut before byte " << cut;
    ASSERT_TRUE(driver.closed());
  }
}

TEST(Splits, single_bytes_change_nothing) {
  const std::string input = conversation();
  Driver driver;
  std::string answers;
  for (const char& c : input) answers += driver.feed({&c, 1}, 1);
  EXPECT_EQ(mask_dates(answers), answers_to(input));
}

TEST(Splits, random_cuts_and_partial_writes_change_nothing) {
  const std::string input = conversation();
  const std::string expected = answers_to(input);
  std::mt19937 random(1);  // NOLINT: the same cuts in every run
  for (int round = 0; round < 300; ++round) {
    Driver driver;
    std::string answers;
    for (std::size_t at = 0; at < input.size();) {
      const std::size_t n = std::min<std::size_t>(1 + random() % 90, input.size() - at);
      answers += driver.feed(input.substr(at, n), 1 + random() % 700);
      at += n;
    }
    ASSERT_EQ(mask_dates(answers), expected) << "round " << round;
  }
}

TEST(Splits, every_pipelining_depth_is_answered_in_order) {
  for (std::size_t depth = 1; depth <= 64; ++depth) {
    Driver driver;
    std::string input;
    for (std::size_t i = 0; i < depth; ++i) input += get("/bytes/" + std::to_string(i));
    const auto answers = split_answers(driver.feed(input));
    ASSERT_EQ(answers.size(), depth);
    for (std::size_t i = 0; i < depth; ++i) {
      ASSERT_EQ(field_of(answers[i], "Content-Length"), std::to_string(i));
    }
    EXPECT_TRUE(driver.waiting());
    EXPECT_EQ(driver.slot.requests.load(), depth);
  }
}

TEST(Splits, more_requests_than_the_output_holds_are_kept_and_answered_later) {
  // 3,000 answers are some 400 KB: many times what one block of output takes.
  constexpr std::size_t kRequests = 3000;
  std::string input;
  for (std::size_t i = 0; i < kRequests; ++i) {
    input += get("/bytes/" + std::to_string(i % 7 == 0 ? 5000 + i : i % 100));
  }
  Driver driver;
  driver.connection.advance(input, driver.now);
  std::size_t waiting = 0;
  for (const iovec& piece : driver.connection.output()) waiting += piece.iov_len;
  EXPECT_LT(waiting, 16u * 16384) << "the output must not grow with the input";
  const auto answers = split_answers(driver.drain(9999));
  ASSERT_EQ(answers.size(), kRequests);
  for (std::size_t i = 0; i < kRequests; ++i) {
    ASSERT_EQ(field_of(answers[i], "Content-Length"),
              std::to_string(i % 7 == 0 ? 5000 + i : i % 100));
  }
  EXPECT_TRUE(driver.waiting());
}

TEST(Splits, bytes_that_come_while_output_waits_are_kept_in_order) {
  Driver driver;
  std::string input;
  for (int i = 0; i < 200; ++i) input += get("/bytes/" + std::to_string(i));
  for (std::size_t at = 0; at < input.size(); at += 777) {
    driver.connection.advance(
        std::span(input).subspan(at, std::min<std::size_t>(777, input.size() - at)), driver.now);
  }
  const auto answers = split_answers(driver.drain());
  ASSERT_EQ(answers.size(), 200u);
  for (std::size_t i = 0; i < 200; ++i) {
    ASSERT_EQ(field_of(answers[i], "Content-Length"), std::to_string(i));
  }
}

}  // namespace
}  // namespace baselines::test
