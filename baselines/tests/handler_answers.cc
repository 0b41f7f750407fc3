// What the endpoints say, and when a connection stays open.
#include "baselines/tests/handler_driver.h"

namespace baselines::test {
namespace {

TEST(Answers, plaintext_is_the_whole_answer_in_one_piece) {
  Driver driver;
  const std::string request = get("/plaintext");
  driver.connection.advance(request, driver.now);
  EXPECT_EQ(driver.connection.output().size(), 1u);
  EXPECT_EQ(mask_dates(driver.drain()),
            "HTTP/1.1 200 OK\r\nServer: statethreads\r\nDate: *****************************\r\n"
            "Content-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!");
  EXPECT_TRUE(driver.waiting());
}

TEST(Answers, date_is_a_fixdate_of_this_year_or_later) {
  Driver driver;
  const std::string date = field_of(driver.feed(get("/plaintext")), "Date");
  ASSERT_EQ(date.size(), 29u);
  EXPECT_EQ(date.substr(25), " GMT");
  EXPECT_GE(std::stoi(date.substr(12, 4)), 2024);
}

TEST(Answers, bytes_are_the_documented_pattern) {
  // SplitMix64's first output is 0xe220a8397b1dcdaf; six bits of each byte, from '0' on.
  constexpr std::uint64_t kFirst = 0xe220a8397b1dcdaf;
  std::string expected;
  for (unsigned i = 0; i < 8; ++i) {
    expected += static_cast<char>('0' + ((kFirst >> (8 * i)) & 0x3f));
  }
  Driver driver;
  const std::string answer = driver.feed(get("/bytes/8"));
  EXPECT_EQ(field_of(answer, "Content-Type"), "application/octet-stream");
  EXPECT_EQ(body_of(answer), expected);
}

TEST(Answers, bytes_of_every_size_around_the_copy_limit_are_a_prefix_of_the_pattern) {
  Driver driver;
  for (const std::size_t size : {0u, 1u, 2047u, 2048u, 2049u, 65536u}) {
    const std::string answer = driver.feed(get("/bytes/" + std::to_string(size)));
    EXPECT_EQ(field_of(answer, "Content-Length"), std::to_string(size));
    EXPECT_EQ(body_of(answer), default_site().pattern().substr(0, size));
  }
}

TEST(Answers, large_bytes_are_sent_from_where_they_are) {
  Driver driver;
  driver.connection.advance(get("/bytes/16777216"), driver.now);
  const auto pieces = driver.connection.output();
  ASSERT_EQ(pieces.size(), 2u);
  EXPECT_EQ(pieces[1].iov_base, default_site().pattern().data());
  EXPECT_EQ(pieces[1].iov_len, kMaxPatternBytes);
}

TEST(Answers, what_is_not_a_size_up_to_16_mib_is_not_found) {
  for (const char* target : {"/bytes/", "/bytes/16777217", "/bytes/x", "/bytes/1x", "/bytes/-1",
                             "/bytes/99999999999999999999", "/bytes", "/bytes/1/2"}) {
    Driver driver;
    EXPECT_EQ(status_of(driver.feed(get(target))), 404) << target;
    EXPECT_TRUE(driver.waiting()) << target << ": 404 is no reason to close";
  }
}

TEST(Answers, unknown_paths_are_not_found) {
  for (const char* target :
       {"/", "/plaintextx", "/plaintext/", "/Plaintext", "//plaintext", "/?"}) {
    Driver driver;
    EXPECT_EQ(status_of(driver.feed(get(target))), 404) << target;
  }
}

TEST(Answers, a_query_does_not_change_the_route) {
  Driver driver;
  EXPECT_EQ(status_of(driver.feed(get("/plaintext?a=b?c/d"))), 200);
}

TEST(Answers, absolute_form_leads_to_the_same_place) {
  for (const char* target :
       {"http://test/plaintext", "HTTP://other:81/plaintext?x", "https://[::1]:8443/plaintext"}) {
    Driver driver;
    EXPECT_EQ(status_of(driver.feed(get(target))), 200) << target;
  }
  Driver driver;
  EXPECT_EQ(status_of(driver.feed(get("http://test"))), 404);  // its path is "/"
}

TEST(Answers, head_has_the_length_but_not_the_body) {
  for (const char* target : {"/plaintext", "/bytes/100000", "/nothing"}) {
    Driver with_get;
    Driver with_head;
    const std::string whole = mask_dates(with_get.feed(get(target)));
    const std::string head =
        with_head.feed("HEAD " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n\r\n");
    EXPECT_EQ(mask_dates(head), whole.substr(0, whole.find("\r\n\r\n") + 4)) << target;
    EXPECT_TRUE(with_head.waiting());
  }
}

TEST(Answers, an_answer_to_head_that_ends_the_connection_has_no_body_either) {
  Driver driver;
  const std::string answer = driver.feed("HEAD / HTTP/1.1\r\n\r\n");  // no Host
  EXPECT_EQ(status_of(answer), 400);
  EXPECT_EQ(body_of(answer), "");
}

struct Persistence {
  const char* version;
  const char* connection;  // the request's field
  bool stays;
  const char* answered;  // the answer's field
};

class KeepAlive : public testing::TestWithParam<Persistence> {};

TEST_P(KeepAlive, follows_the_version_and_the_connection_field) {
  const Persistence& row = GetParam();
  Driver driver;
  const std::string answer = driver.feed("GET /plaintext HTTP/" + std::string(row.version) +
                                         "\r\nHost: test\r\n" + row.connection + "\r\n");
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_EQ(driver.waiting(), row.stays);
  EXPECT_EQ(driver.closed(), !row.stays);
  EXPECT_EQ(field_of(answer, "Connection"), row.answered);
}

INSTANTIATE_TEST_SUITE_P(
    All, KeepAlive,
    testing::Values(Persistence{"1.1", "", true, ""},
                    Persistence{"1.1", "Connection: keep-alive\r\n", true, ""},
                    Persistence{"1.1", "Connection: close\r\n", false, "close"},
                    Persistence{"1.1", "Connection: keep-alive, CLOSE\r\n", false, "close"},
                    Persistence{"1.0", "", false, "close"},
                    Persistence{"1.0", "Connection: Keep-Alive\r\n", true, "keep-alive"},
                    Persistence{"1.0", "Connection: close\r\n", false, "close"},
                    Persistence{"1.0", "Connection: close, keep-alive\r\n", false, "close"}));

TEST(Answers, http10_needs_no_host) {
  Driver driver;
  EXPECT_EQ(status_of(driver.feed("GET /plaintext HTTP/1.0\r\n\r\n")), 200);
}

TEST(Answers, what_follows_a_closing_request_is_not_looked_at) {
  Driver driver;
  const std::string answers =
      driver.feed(get("/plaintext", "Connection: close\r\n") + get("/plaintext"));
  EXPECT_EQ(split_answers(answers).size(), 1u);
  EXPECT_TRUE(driver.closed());
  EXPECT_EQ(driver.feed(get("/plaintext")), "");
}

TEST(Answers, empty_lines_before_a_request_are_passed_over) {
  Driver driver;
  EXPECT_EQ(status_of(driver.feed("\r\n\r\n" + get("/plaintext"))), 200);
  EXPECT_EQ(driver.feed("\r\n"), "");
  EXPECT_EQ(status_of(driver.feed(get("/plaintext"))), 200);
}

TEST(Answers, refusal_is_a_whole_answer_that_says_its_length) {
  const std::string_view answer = refusal();
  EXPECT_EQ(status_of(answer), 503);
  EXPECT_EQ(field_of(answer, "Connection"), "close");
  EXPECT_EQ(field_of(answer, "Content-Length"), std::to_string(body_of(answer).size()));
}

TEST(SiteLimits, a_limit_that_makes_no_sense_is_named) {
  SiteOptions options;
  options.max_head_bytes = kMaxHeadBytes + 1;
  try {
    const Site site(options);
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("max_head_bytes is 16385"), std::string::npos);
  }
}

}  // namespace
}  // namespace baselines::test
