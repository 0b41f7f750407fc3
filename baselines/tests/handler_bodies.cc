// Requests that bring a body: it is read, thrown away, and the next request found behind it.
#include "baselines/common/body_reader.h"
#include "baselines/tests/handler_driver.h"

namespace baselines::test {
namespace {

std::string chunked(std::string_view body) {
  return get("/plaintext", "Transfer-Encoding: chunked\r\n") + std::string(body);
}

std::string sized(std::size_t size) {
  return get("/plaintext", "Content-Length: " + std::to_string(size) + "\r\n");
}

TEST(Bodies, the_request_behind_a_body_is_found) {
  for (const std::string& request :
       {sized(0), sized(5) + "GET /", chunked("0\r\n\r\n"), chunked("5\r\nGET /\r\n0\r\n\r\n"),
        chunked("a;x=\"y\"\r\n0123456789\r\n00\r\nTrailer: t\r\nX: y\r\n\r\n")}) {
    Driver driver;
    const auto answers = split_answers(driver.feed(request + get("/bytes/1")));
    ASSERT_EQ(answers.size(), 2u) << request;
    EXPECT_EQ(status_of(answers[0]), 200);
    EXPECT_EQ(field_of(answers[1], "Content-Length"), "1");
    EXPECT_TRUE(driver.waiting());
  }
}

TEST(Bodies, the_answer_comes_after_the_body) {
  Driver driver;
  EXPECT_EQ(driver.feed(sized(3)), "");
  EXPECT_EQ(driver.feed("ab"), "");
  EXPECT_EQ(status_of(driver.feed("c")), 200);
}

TEST(Bodies, one_mebibyte_is_read_however_it_is_cut) {
  const std::string body(kMiB, 'b');
  Driver driver;
  EXPECT_EQ(driver.feed(sized(body.size())), "");
  std::string answer;
  for (std::size_t at = 0; at < body.size(); at += 4099)
    answer += driver.feed(body.substr(at, 4099));
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_TRUE(driver.waiting());
}

TEST(Bodies, chunks_above_the_limit_together_are_refused) {
  const std::string chunk = "80000\r\n" + std::string(0x80000, 'c') + "\r\n";
  Driver fits;
  EXPECT_EQ(status_of(fits.feed(chunked(chunk + chunk + "0\r\n\r\n"))), 200);
  Driver exceeds;
  EXPECT_EQ(status_of(exceeds.feed(chunked(chunk + chunk + "1\r\n"))), 413);
  EXPECT_TRUE(exceeds.closed());
}

TEST(Bodies, broken_chunks_are_refused) {
  for (const char* body :
       {"\r\n", "x\r\n", " 5\r\nabcde\r\n", "5 \r\nabcde\r\n", "-5\r\n", "0x5\r\nabcde\r\n",
        "5\nabcde\r\n0\r\n\r\n", "5\r\nabcdef\r\n", "5\r\nabcde\n0\r\n\r\n", "5\r\nabcdeX\r\n",
        "5;a\nb\r\nabcde\r\n", "5;\x01\r\nabcde\r\n", "0\r\nA: b\n\r\n", "0\r\n\n", "0\r\n\rX",
        "0\r\nA: b\rX"}) {
    Driver driver;
    const std::string answer = driver.feed(chunked(body) + get("/plaintext"));
    EXPECT_EQ(status_of(answer), 400) << body;
    EXPECT_TRUE(driver.closed()) << body;
  }
}

TEST(Bodies, a_size_beyond_64_bits_does_not_wrap) {
  Driver driver;
  EXPECT_EQ(status_of(driver.feed(chunked("10000000000000005\r\nabcde\r\n0\r\n\r\n"))), 413);
}

TEST(Bodies, endless_framing_is_cut_off) {
  Driver extension;
  EXPECT_EQ(status_of(extension.feed(chunked("5;" + std::string(20000, 'e')))), 431);
  Driver trailers;
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "A: b\r\n";
  EXPECT_EQ(status_of(trailers.feed(chunked("0\r\n" + many))), 431);
  Driver zeros;
  EXPECT_EQ(status_of(zeros.feed(chunked(std::string(1200000, '0')))), 400);
}

TEST(Bodies, continue_is_said_once_and_before_the_answer) {
  Driver driver;
  const std::string request = get("/plaintext", "Content-Length: 3\r\nExpect: 100-continue\r\n");
  EXPECT_EQ(driver.feed(request), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(driver.slot.requests.load(), 0u);
  EXPECT_TRUE(driver.waiting());
  EXPECT_EQ(status_of(driver.feed("abc")), 200);
  EXPECT_EQ(driver.slot.requests.load(), 1u);
}

TEST(Bodies, continue_is_not_said_where_it_would_be_wrong) {
  Driver no_body;
  EXPECT_EQ(status_of(no_body.feed(get("/plaintext", "Expect: 100-continue\r\n"))), 200);
  Driver too_large;
  EXPECT_EQ(status_of(too_large.feed(
                get("/plaintext", "Content-Length: 9999999\r\nExpect: 100-continue\r\n"))),
            413);
  Driver http10;
  EXPECT_EQ(
      http10.feed("GET /plaintext HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"),
      "");
  EXPECT_EQ(status_of(http10.feed("abc")), 200);
}

TEST(Bodies, the_client_that_goes_away_within_a_body_is_told) {
  Driver driver;
  EXPECT_EQ(driver.feed(sized(3) + "ab"), "");
  EXPECT_EQ(status_of(driver.end()), 400);
  EXPECT_TRUE(driver.closed());
}

}  // namespace
}  // namespace baselines::test
