// Every answer is cut at every byte, and read by a reader that has seen its head before and by one
// that has not.
#include "harness/stload/answer.h"

#include <gtest/gtest.h>

#include <optional>

namespace stload {
namespace {

using State = AnswerReader::State;

// What the reader made of the bytes, fed in pieces that end at the given places.
struct Reading {
  State state = State::more;
  AnswerHead head;
  std::string body;
};

Reading read(const std::string& bytes, std::initializer_list<std::size_t> cuts, KnownHead& known,
             bool then_ends = false) {
  AnswerReader reader;
  Reading reading;
  BodyCheck check;
  check.learn(reading.body);
  reader.begin(known, &check);
  std::size_t from = 0;
  const auto feed = [&](std::size_t to) {
    if (to <= from || to > bytes.size() || reading.state != State::more) return;
    reading.state = reader.feed({bytes.data() + from, to - from});
    from = to;
  };
  for (const std::size_t cut : cuts) feed(cut);
  feed(bytes.size());
  if (then_ends && reading.state == State::more) reading.state = reader.end();
  reading.head = reader.head();
  return reading;
}

void expect_at_every_cut(const std::string& bytes, int status, bool keep_alive,
                         const std::string& body, bool then_ends = false) {
  KnownHead known;
  for (int round = 0; round < 2; ++round) {  // the second one may know the head
    for (std::size_t i = 0; i <= bytes.size(); ++i) {
      for (const std::size_t j : {i, i + 1, bytes.size() - 1}) {
        if (round == 0) known = {};
        const Reading reading = read(bytes, {i, j}, known, then_ends);
        ASSERT_EQ(reading.state, State::done) << i << " " << j << "\n" << bytes;
        EXPECT_EQ(reading.head.status, status);
        EXPECT_EQ(reading.head.keep_alive, keep_alive);
        EXPECT_EQ(reading.body, body) << i << " " << j;
      }
    }
    read(bytes, {}, known, then_ends);
  }
}

TEST(AnswerReader, content_length) {
  expect_at_every_cut("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, true, "hello");
  expect_at_every_cut("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nA: b\r\n\r\n", 404, true, "");
}

TEST(AnswerReader, chunked_with_extensions_and_trailers) {
  expect_at_every_cut(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\nA;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
      200, true, "abc0123456789");
  expect_at_every_cut("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, true,
                      "");
}

TEST(AnswerReader, body_that_ends_with_the_connection) {
  expect_at_every_cut("HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, false, "until the end", true);
  expect_at_every_cut("HTTP/1.0 200 OK\r\n\r\n", 200, false, "", true);
}

TEST(AnswerReader, connection_that_closes_after_the_answer) {
  expect_at_every_cut("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab", 200,
                      false, "ab");
  expect_at_every_cut("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", 200, false, "ab");
  expect_at_every_cut("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab",
                      200, true, "ab");
}

TEST(AnswerReader, statuses_that_have_no_body_whatever_length_they_name) {
  expect_at_every_cut("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, true, "");
  expect_at_every_cut("HTTP/1.1 204 No Content\r\n\r\n", 204, true, "");
}

TEST(AnswerReader, interim_answers_are_passed_over) {
  expect_at_every_cut(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
      200, true, "ab");
}

TEST(AnswerReader, a_head_that_changes_is_read_anew) {
  KnownHead known;
  const std::string one = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
  const std::string two = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
  EXPECT_EQ(read(one, {}, known).body, "a");
  EXPECT_EQ(known.head.length, 1u);
  EXPECT_EQ(read(two, {}, known).body, "ab");
  EXPECT_EQ(known.head.length, 2u);
  EXPECT_EQ(read(one, {}, known).body, "a");
}

TEST(AnswerReader, only_heads_with_a_length_are_remembered) {
  KnownHead known;
  read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {}, known);
  read("HTTP/1.1 200 OK\r\n\r\nbody", {}, known, true);
  EXPECT_EQ(known.bytes, "");
}

TEST(AnswerReader, an_answer_that_is_cut_off_is_not_done) {
  const std::string answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "3\r\nabc\r\n0\r\n\r\n"};
  for (const std::string& whole : answers) {
    KnownHead known;
    read(whole, {}, known);
    for (std::size_t length = 0; length < whole.size(); ++length) {
      EXPECT_EQ(read(whole.substr(0, length), {}, known, true).state, State::malformed) << length;
    }
  }
}

TEST(AnswerReader, more_bytes_than_the_answer_has_are_malformed) {
  const std::string answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                                 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "3\r\nabc\r\n0\r\n\r\n"};
  for (const std::string& whole : answers) {
    KnownHead known;
    for (int round = 0; round < 2; ++round) {
      EXPECT_EQ(read(whole + "x", {}, known).state, State::malformed) << whole;
      read(whole, {}, known);
    }
  }
}

TEST(AnswerReader, what_is_not_http_is_malformed) {
  const char* const junk[] = {
      "SSH-2.0-OpenSSH_9.2\r\n",
      "HTTP/2.0 200 OK\r\n\r\n",
      "HTTP/1.1 20x OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nab",
  };
  for (const char* bytes : junk) {
    KnownHead known;
    EXPECT_EQ(read(bytes, {}, known).state, State::malformed) << bytes;
  }
}

TEST(AnswerReader, one_reader_reads_many_answers) {
  KnownHead known;
  AnswerReader reader;
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  const std::string counted = "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\na";
  for (int i = 0; i < 3; ++i) {
    for (const std::string& answer : {chunked, counted, chunked.substr(0, 30)}) {
      reader.begin(known, nullptr);
      const bool whole = answer.size() != 30;
      EXPECT_EQ(reader.feed(answer), whole ? State::done : State::more);
    }
  }
}

TEST(BodyCheck, only_the_same_bytes_are_right) {
  const std::string expected = "abcdef";
  const auto right = [&](std::initializer_list<const char*> pieces) {
    BodyCheck check;
    check.compare_with(expected);
    for (const std::string piece : pieces) check.take(piece);
    return check.right();
  };
  EXPECT_TRUE(right({"abcdef"}));
  EXPECT_TRUE(right({"ab", "", "cdef"}));
  EXPECT_FALSE(right({"abcde"}));
  EXPECT_FALSE(right({"abcdef", "g"}));
  EXPECT_FALSE(right({"abc", "dxf"}));
  EXPECT_FALSE(right({"abx", "def"}));
  EXPECT_FALSE(right({}));
}

}  // namespace
}  // namespace stload
