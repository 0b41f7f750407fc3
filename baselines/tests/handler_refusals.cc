// Every status that ends a connection, and every shape of request that two readers may read in two
// ways (request smuggling).
#include "baselines/tests/handler_driver.h"

namespace baselines::test {
namespace {

struct Refusal {
  const char* name;
  int status;
  std::string request;
};

void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, with_its_status_and_the_connection_closed) {
  Driver driver;
  // A request behind the bad one must not be answered: it may have been smuggled in.
  const std::string answer = driver.feed(GetParam().request + get("/plaintext"));
  EXPECT_EQ(status_of(answer), GetParam().status);
  EXPECT_EQ(field_of(answer, "Connection"), "close");
  EXPECT_EQ(field_of(answer, "Content-Length"), std::to_string(body_of(answer).size()));
  EXPECT_EQ(field_of(answer, "Date").size(), 29u);
  EXPECT_EQ(split_answers(answer).size(), 1u);
  EXPECT_TRUE(driver.closed());
  EXPECT_EQ(driver.slot.errors.load(), 1u);
}

TEST_P(Refused, the_same_when_it_trickles_in_byte_by_byte) {
  Driver whole;
  const std::string request = GetParam().request + get("/plaintext");
  const std::string expected = mask_dates(whole.feed(request));
  Driver trickled;
  std::string answer;
  for (const char& c : request) answer += trickled.feed({&c, 1});
  EXPECT_EQ(mask_dates(answer), expected);
  EXPECT_TRUE(trickled.closed());
}

std::string with_fields(const std::string& fields, const char* version = "1.1") {
  return "GET /plaintext HTTP/" + std::string(version) + "\r\n" + fields + "\r\n";
}

std::string many_fields(int count) {
  std::string fields = "Host: test\r\n";
  for (int i = 1; i < count; ++i) fields += "X: y\r\n";
  return fields;
}

using namespace std::string_literals;
const std::string kHost = "Host: test\r\n";
// Makes a request with a chunked body whole, so that only what is wrong with its head is left.
const std::string kEmptyBody = "0\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(
    Syntax, Refused,
    testing::Values(
        Refusal{"not a letter first", 400, "\x16\x03\x01\x02"},
        Refusal{"bare LF ends the request line", 400,
                "GET /plaintext HTTP/1.1\nHost: test\r\n\r\n"},
        Refusal{"bare LF ends a field", 400, "GET / HTTP/1.1\r\nHost: test\n\r\n"},
        Refusal{"bare LF is the empty line", 400, "GET / HTTP/1.1\r\nHost: test\r\n\n"},
        Refusal{"bare CR in a value", 400, with_fields(kHost + "A: b\rc\r\n")},
        Refusal{"bare CR before the request line", 400, "\rGET / HTTP/1.1\r\nHost: test\r\n\r\n"},
        Refusal{"NUL in a value", 400, with_fields(kHost + "A: b\0c\r\n"s)},
        Refusal{"NUL in the target", 400, "GET /\0 HTTP/1.1\r\nHost: test\r\n\r\n"s},
        Refusal{"control in the target", 400, "GET /\x01 HTTP/1.1\r\nHost: test\r\n\r\n"},
        Refusal{"no target", 400, "GET HTTP/1.1\r\nHost: test\r\n\r\n"},
        Refusal{"two spaces", 400, "GET  / HTTP/1.1\r\nHost: test\r\n\r\n"},
        Refusal{"space after the version", 400, "GET / HTTP/1.1 \r\nHost: test\r\n\r\n"},
        Refusal{"tab for a space", 400, "GET\t/ HTTP/1.1\r\nHost: test\r\n\r\n"},
        Refusal{"no version", 400, "GET /\r\nHost: test\r\n\r\n"},
        Refusal{"protocol is not HTTP", 400, "GET / HTTQ/1.1\r\nHost: test\r\n\r\n"},
        Refusal{"version in lower case", 400, "GET / http/1.1\r\nHost: test\r\n\r\n"},
        Refusal{"space before the colon", 400, with_fields(kHost + "A : b\r\n")},
        Refusal{"space before the first field", 400, with_fields(" A: b\r\n" + kHost)},
        Refusal{"folded line", 400, with_fields(kHost + "A: b\r\n c\r\n")},
        Refusal{"folded line with a tab", 400, with_fields(kHost + "A: b\r\n\tc\r\n")},
        Refusal{"value on the next line", 400, with_fields(kHost + "A:\r\n b\r\n")},
        Refusal{"folded nothing", 400, with_fields(kHost + "A:\r\n \r\n")},
        Refusal{"folded Transfer-Encoding", 400,
                with_fields(kHost + "Transfer-Encoding:\r\n chunked\r\n") + kEmptyBody},
        Refusal{"field without colon", 400, with_fields(kHost + "A\r\n")},
        Refusal{"field without name", 400, with_fields(kHost + ": b\r\n")},
        Refusal{"broken Connection list", 400, with_fields(kHost + "Connection: a b\r\n")},
        Refusal{"target in asterisk-form", 400, "GET * HTTP/1.1\r\nHost: test\r\n\r\n"},
        Refusal{"target without slash", 400, "GET plaintext HTTP/1.1\r\nHost: test\r\n\r\n"},
        Refusal{"target of another scheme", 400, "GET ftp://a/b HTTP/1.1\r\nHost: a\r\n\r\n"},
        Refusal{"absolute target without host", 400, "GET http:///b HTTP/1.1\r\nHost: a\r\n\r\n"}));

INSTANTIATE_TEST_SUITE_P(
    Host, Refused,
    testing::Values(Refusal{"missing", 400, with_fields("")},
                    Refusal{"twice", 400, with_fields(kHost + kHost)},
                    Refusal{"twice in HTTP/1.0", 400, with_fields(kHost + kHost, "1.0")},
                    Refusal{"two in one", 400, with_fields("Host: a, b\r\n")},
                    Refusal{"with a path", 400, with_fields("Host: a/b\r\n")},
                    Refusal{"with a user", 400, with_fields("Host: a@b\r\n")}));

INSTANTIATE_TEST_SUITE_P(
    Framing, Refused,
    testing::Values(
        Refusal{"two equal lengths", 400,
                with_fields(kHost + "Content-Length: 3\r\nContent-Length: 3\r\n")},
        Refusal{"two different lengths", 400,
                with_fields(kHost + "Content-Length: 3\r\nContent-Length: 4\r\n")},
        Refusal{"two zero lengths", 400,
                with_fields(kHost + "Content-Length: 0\r\nContent-Length: 0\r\n")},
        Refusal{"list of lengths", 400, with_fields(kHost + "Content-Length: 3, 3\r\n")},
        Refusal{"length with a sign", 400, with_fields(kHost + "Content-Length: +3\r\n")},
        Refusal{"negative length", 400, with_fields(kHost + "Content-Length: -3\r\n")},
        Refusal{"hexadecimal length", 400, with_fields(kHost + "Content-Length: 0x3\r\n")},
        Refusal{"empty length", 400, with_fields(kHost + "Content-Length: \r\n")},
        Refusal{"length above 64 bits", 400,
                with_fields(kHost + "Content-Length: 18446744073709551616\r\n")},
        Refusal{"length and chunked", 400,
                with_fields(kHost + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") +
                    kEmptyBody},
        Refusal{"chunked and length", 400,
                with_fields(kHost + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n") +
                    kEmptyBody},
        Refusal{"chunked and zero length", 400,
                with_fields(kHost + "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n") +
                    kEmptyBody},
        Refusal{
            "chunked twice", 400,
            with_fields(kHost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") +
                kEmptyBody},
        Refusal{"chunked twice in one", 400,
                with_fields(kHost + "Transfer-Encoding: chunked, chunked\r\n") + kEmptyBody},
        Refusal{"chunked not last", 400,
                with_fields(kHost + "Transfer-Encoding: chunked, gzip\r\n") + kEmptyBody},
        Refusal{"empty coding", 400, with_fields(kHost + "Transfer-Encoding: \r\n") + kEmptyBody},
        Refusal{"chunked in HTTP/1.0", 400,
                with_fields(kHost + "Transfer-Encoding: chunked\r\n", "1.0") + kEmptyBody},
        Refusal{"control before chunked", 400,
                with_fields(kHost + "Transfer-Encoding: \x0b"
                                    "chunked\r\n") +
                    kEmptyBody},
        Refusal{"unknown coding", 501,
                with_fields(kHost + "Transfer-Encoding: gzip\r\n") + kEmptyBody},
        Refusal{"unknown coding under chunked", 501,
                with_fields(kHost + "Transfer-Encoding: gzip, chunked\r\n") + kEmptyBody},
        Refusal{"almost chunked", 501,
                with_fields(kHost + "Transfer-Encoding: xchunked\r\n") + kEmptyBody},
        Refusal{"identity", 501,
                with_fields(kHost + "Transfer-Encoding: identity\r\n") + kEmptyBody}));

INSTANTIATE_TEST_SUITE_P(
    Methods, Refused,
    testing::Values(Refusal{"POST", 405, "POST /plaintext HTTP/1.1\r\nHost: a\r\n\r\n"},
                    Refusal{"PUT with a body", 405,
                            "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"},
                    Refusal{"OPTIONS *", 405, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"},
                    Refusal{"CONNECT", 405, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"},
                    Refusal{"unknown", 405, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"},
                    Refusal{"in lower case", 405, "get / HTTP/1.1\r\nHost: a\r\n\r\n"}));

INSTANTIATE_TEST_SUITE_P(
    Versions, Refused,
    testing::Values(Refusal{"HTTP/2 preface", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
                    Refusal{"HTTP/0.9 by name", 505, "GET / HTTP/0.9\r\n\r\n"},
                    Refusal{"HTTP/1.2", 505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"}));

INSTANTIATE_TEST_SUITE_P(
    Sizes, Refused,
    testing::Values(
        Refusal{"target of 8193 bytes", 414, get("/" + std::string(8192, 'a'))},
        Refusal{"request line without end", 414, "GET /" + std::string(9000, 'a')},
        Refusal{"101 fields", 431, with_fields(many_fields(101))},
        Refusal{"head of 16385 bytes", 431,
                get("/", "A: " + std::string(16385 - get("/", "A: \r\n").size(), 'a') + "\r\n")},
        Refusal{"head without end", 431, get("/", "A: " + std::string(20000, 'a') + "\r\n")},
        Refusal{"body of 1 MiB and a byte", 413,
                with_fields(kHost + "Content-Length: 1048577\r\n")},
        Refusal{"body of 2^63 bytes", 413,
                with_fields(kHost + "Content-Length: 9223372036854775808\r\n")}));

TEST(Refusals, come_as_soon_as_nothing_can_save_the_request) {
  for (const char* beginning : {"\x16", "\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: a\n"}) {
    Driver driver;
    EXPECT_EQ(status_of(driver.feed(beginning)), 400) << beginning;
    EXPECT_TRUE(driver.closed());
  }
}

TEST(Limits, what_just_fits_is_answered) {
  Driver driver;
  EXPECT_EQ(status_of(driver.feed(get("/" + std::string(8191, 'a')))), 404);
  EXPECT_EQ(status_of(driver.feed(with_fields(many_fields(100)))), 200);
  const std::string rest = get("/plaintext", "A: \r\n");
  const std::string head =
      get("/plaintext", "A: " + std::string(16384 - rest.size(), 'a') + "\r\n");
  ASSERT_EQ(head.size(), 16384u);
  EXPECT_EQ(status_of(driver.feed(head)), 200);
  std::string trickled;
  for (std::size_t i = 0; i < head.size(); i += 1000) trickled += driver.feed(head.substr(i, 1000));
  EXPECT_EQ(status_of(trickled), 200);
}

TEST(Limits, refused_methods_learn_the_allowed_ones) {
  Driver driver;
  EXPECT_EQ(field_of(driver.feed("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n"), "Allow"), "GET, HEAD");
}

}  // namespace
}  // namespace baselines::test
