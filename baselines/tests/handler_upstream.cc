// What an origin may say, cut anywhere, and what of it is passed on.
#include <gtest/gtest.h>

#include "baselines/common/upstream_answer.h"

namespace baselines::test {
namespace {

using Progress = UpstreamAnswer::Progress;
using namespace std::string_literals;

struct Said {
  const char* name;
  std::string origin;
  std::string head;  // what is passed on
  std::string body;
  bool reusable = true;
  bool ends = false;       // the origin closes the connection behind it
  bool head_only = false;  // it answers HEAD
};

void PrintTo(const Said& said, std::ostream* out) { *out << said.name; }

class Upstream : public testing::TestWithParam<Said> {};

void expect_passed_on(const Said& said, const UpstreamAnswer& answer) {
  EXPECT_EQ(answer.head(), said.head);
  EXPECT_EQ(answer.body(), said.body);
  EXPECT_EQ(answer.reusable(), said.reusable);
  EXPECT_TRUE(answer.begun());
}

TEST_P(Upstream, is_passed_on_however_it_is_cut) {
  const Said& said = GetParam();
  for (std::size_t cut = 1; cut <= said.origin.size(); ++cut) {
    UpstreamAnswer answer(said.head_only);
    Progress progress = Progress::incomplete;
    for (std::size_t at = 0; at < said.origin.size(); at += cut) {
      ASSERT_EQ(progress, Progress::incomplete) << "cut " << cut << " at " << at;
      progress = answer.take(std::string_view(said.origin).substr(at, cut));
    }
    if (said.ends) {
      ASSERT_EQ(progress, Progress::incomplete);
      progress = answer.end_of_input();
    }
    ASSERT_EQ(progress, Progress::complete) << "cut " << cut;
    expect_passed_on(said, answer);
  }
}

TEST_P(Upstream, is_not_whole_before_its_end) {
  const Said& said = GetParam();
  for (std::size_t size = 1; size < said.origin.size(); ++size) {
    UpstreamAnswer answer(said.head_only);
    ASSERT_EQ(answer.take(std::string_view(said.origin).substr(0, size)), Progress::incomplete);
    // Where the end of the connection is the end of the answer, nobody can know better.
    if (!said.ends) {
      ASSERT_EQ(answer.end_of_input(), Progress::malformed) << size;
    }
  }
}

const std::string kOk = "HTTP/1.1 200 OK\r\n";

INSTANTIATE_TEST_SUITE_P(
    Answers, Upstream,
    testing::Values(
        Said{"with a length", kOk + "Content-Length: 5\r\nX: y\r\n\r\nhello",
             kOk + "X: y\r\nContent-Length: 5\r\n", "hello"},
        Said{"empty", kOk + "Content-Length: 0\r\n\r\n", kOk + "Content-Length: 0\r\n", ""},
        Said{
            "chunked",
            kOk + "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nT: u\r\n\r\n",
            kOk + "Content-Length: 6\r\n", "hello!"},
        Said{"until the end", kOk + "X: y\r\n\r\nhello", kOk + "X: y\r\nContent-Length: 5\r\n",
             "hello", false, true},
        Said{"of HTTP/1.0", "HTTP/1.0 200 Fine\r\nContent-Length: 1\r\n\r\na",
             "HTTP/1.1 200 Fine\r\nContent-Length: 1\r\n", "a", false},
        Said{"that closes", kOk + "Connection: close\r\nContent-Length: 1\r\n\r\na",
             kOk + "Content-Length: 1\r\n", "a", false},
        Said{"to HEAD", kOk + "Content-Length: 5\r\n\r\n", kOk + "Content-Length: 5\r\n", "", true,
             false, true},
        Said{"to HEAD without a length", kOk + "X: y\r\n\r\n", kOk + "X: y\r\n", "", true, false,
             true},
        Said{"not modified", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
             "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n", ""},
        Said{"without content", "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\n",
             ""},
        Said{"of no reason", "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n",
             "HTTP/1.1 299 \r\nContent-Length: 0\r\n", ""},
        Said{"behind interim ones",
             "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + kOk +
                 "Content-Length: 1\r\n\r\na",
             kOk + "Content-Length: 1\r\n", "a"},
        Said{"with fields of the connection",
             kOk +
                 "Connection: X, keep-alive\r\nX: y\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\n"
                 "Proxy-Connection: a\r\nTE: b\r\nTrailer: c\r\nz: Z\r\nContent-Length: 0\r\n\r\n",
             kOk + "z: Z\r\nContent-Length: 0\r\n", ""},
        Said{"folded", kOk + "A: b\r\n  c\r\nContent-Length: 0\r\n\r\n",
             kOk + "A: b c\r\nContent-Length: 0\r\n", ""}));

TEST(UpstreamBroken, answers_are_told) {
  for (const std::string& origin :
       {"SSH-2.0-x\r\n"s, "HTTP/2.0 200 OK\r\n"s, "HTTP/1.1 20 OK\r\n"s, "HTTP/1.1 2000 OK\r\n"s,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"s, kOk + "A b\r\n",
        kOk + "Content-Length: x\r\n\r\n", kOk + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        kOk + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        kOk + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        kOk + "Transfer-Encoding: gzip, chunked\r\n\r\n", kOk + "Transfer-Encoding: gzip\r\n\r\n",
        kOk + "Transfer-Encoding: chunked\r\n\r\nx\r\n",
        kOk + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"}) {
    UpstreamAnswer answer(false);
    EXPECT_EQ(answer.take(origin), Progress::malformed) << origin;
  }
}

TEST(UpstreamBroken, too_much_is_not_passed_on) {
  UpstreamAnswer head(false);
  EXPECT_EQ(head.take(kOk + "A: " + std::string(17000, 'a')), Progress::malformed);
  UpstreamAnswer sized(false);
  EXPECT_EQ(sized.take(kOk + "Content-Length: 16777217\r\n\r\n"), Progress::malformed);
  UpstreamAnswer chunked(false);
  EXPECT_EQ(chunked.take(kOk + "Transfer-Encoding: chunked\r\n\r\n1000001\r\n"),
            Progress::malformed);
  const std::string mebibyte(1 << 20, 'b');
  UpstreamAnswer chunks(false);
  chunks.take(kOk + "Transfer-Encoding: chunked\r\n\r\n");
  UpstreamAnswer endless(false);
  endless.take(kOk + "\r\n");
  for (int i = 0; i < 16; ++i) {
    ASSERT_EQ(chunks.take("100000\r\n" + mebibyte + "\r\n"), Progress::incomplete) << i;
    ASSERT_EQ(endless.take(mebibyte), Progress::incomplete) << i;
  }
  EXPECT_EQ(chunks.take("1\r\nb\r\n"), Progress::malformed);
  EXPECT_EQ(endless.take("b"), Progress::malformed);
}

TEST(UpstreamBroken, a_connection_that_says_more_than_it_was_asked_is_not_used_again) {
  UpstreamAnswer answer(false);
  EXPECT_EQ(answer.take(kOk + "Content-Length: 1\r\n\r\nabc"), Progress::complete);
  EXPECT_EQ(answer.body(), "a");
  EXPECT_FALSE(answer.reusable());
}

TEST(UpstreamBroken, an_end_before_anything_is_no_beginning) {
  UpstreamAnswer answer(false);
  EXPECT_EQ(answer.end_of_input(), Progress::malformed);
  EXPECT_FALSE(answer.begun());
}

}  // namespace
}  // namespace baselines::test
