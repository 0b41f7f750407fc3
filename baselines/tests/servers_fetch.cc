// Fetching from an origin in straight code: which connection is used, and what becomes of failures.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <string>

#include "baselines/common/straight_jobs.h"

namespace baselines {
namespace {

using End = Transfer::End;

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string kLast = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

// What the origin does: how connecting ends, and what each read brings on that connection.
struct Script {
  End connected = End::done;
  std::deque<std::string> reads = {};  // "" is the end
  End then = End::timed_out;           // when there are no more
  std::string heard = {};
};
std::deque<Script> scripts;  // of the connections to come
int connects;

class FakeStream {
 public:
  End connect(const Origin&, Clock::time_point) {
    ++connects;
    script_ = std::move(scripts.front());
    scripts.pop_front();
    return script_.connected;
  }
  Transfer write(std::span<const iovec> pieces, Clock::time_point) {
    // Three bytes at a time: what a socket takes is its own affair.
    const std::size_t taken = std::min<std::size_t>(3, pieces[0].iov_len);
    script_.heard.append(static_cast<const char*>(pieces[0].iov_base), taken);
    return {End::done, taken};
  }
  Transfer read(std::span<char> buffer, Clock::time_point) {
    if (script_.reads.empty()) return {script_.then};
    const std::string bytes = std::move(script_.reads.front());
    script_.reads.pop_front();
    bytes.copy(buffer.data(), buffer.size());
    heard = script_.heard;
    return {bytes.empty() ? End::over : End::done, bytes.size()};
  }

  static inline std::string heard;  // before the last read, on any connection

 private:
  Script script_;
};

struct FakeSocket {
  using Upstream = FakeStream;
  std::span<char> roomy_buffer() { return bytes; }
  template <class Work>
  void step(Work work) {
    work();
  }
  std::array<char, 1024> bytes;
};

class Fetch : public testing::Test {
 protected:
  void SetUp() override {
    scripts.clear();
    connects = 0;
    auto& pool = UpstreamPool<FakeStream>::mine();
    while (!pool.empty()) pool.take();
  }

  int fetch() {
    FetchJob job{&origin_, "GET /x HTTP/1.1\r\n\r\n", UpstreamAnswer(false)};
    FakeSocket socket;
    const int failure = carry_out(job, socket, Clock::time_point());
    EXPECT_EQ(failure == 0 ? job.answer.body() : "ok", "ok");
    return failure;
  }

  Origin origin_{"127.0.0.1", 80};
};

TEST_F(Fetch, uses_a_connection_again) {
  scripts = {{.reads = {kOk, kOk, kOk.substr(0, 9), kOk.substr(9)}}};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(fetch(), 0);
  EXPECT_EQ(connects, 1);
  EXPECT_EQ(FakeStream::heard,
            "GET /x HTTP/1.1\r\n\r\nGET /x HTTP/1.1\r\n\r\nGET /x HTTP/1.1\r\n\r\n");
}

TEST_F(Fetch, does_not_use_again_what_the_origin_will_close) {
  scripts = {{.reads = {kLast}}, {.reads = {kLast}}};
  EXPECT_EQ(fetch(), 0);
  EXPECT_EQ(fetch(), 0);
  EXPECT_EQ(connects, 2);
}

TEST_F(Fetch, replaces_a_connection_that_was_closed_while_idle_once) {
  for (const bool reset : {false, true}) {
    SetUp();
    Script stale{.reads = {kOk, ""}};
    if (reset) stale = {.reads = {kOk}, .then = End::broken};
    scripts = {stale, {.reads = {kOk}}};
    EXPECT_EQ(fetch(), 0);
    EXPECT_EQ(fetch(), 0);
    EXPECT_EQ(connects, 2);
  }
}

TEST_F(Fetch, gives_up_when_the_new_connection_is_closed_too) {
  scripts = {{.reads = {kOk, ""}}, {.reads = {""}}, {.reads = {kOk}}};
  EXPECT_EQ(fetch(), 0);
  EXPECT_EQ(fetch(), 502);
  EXPECT_EQ(connects, 2);
  EXPECT_EQ(fetch(), 0);  // and recovers
}

TEST_F(Fetch, does_not_repeat_what_was_half_answered) {
  scripts = {{.reads = {kOk, kOk.substr(0, 30), ""}}};
  EXPECT_EQ(fetch(), 0);
  EXPECT_EQ(fetch(), 502);
  EXPECT_EQ(connects, 1);
}

TEST_F(Fetch, tells_late_from_broken) {
  scripts = {{.connected = End::timed_out}, {.connected = End::broken},
             {.then = End::timed_out},      {.then = End::broken},
             {.reads = {"nonsense\r\n"}},   {.reads = {kOk.substr(0, 39)}}};
  for (const int expected : {504, 502, 504, 502, 502, 504}) EXPECT_EQ(fetch(), expected);
}

TEST_F(Fetch, a_late_answer_on_a_used_connection_is_not_asked_for_again) {
  scripts = {{.reads = {kOk}}};
  EXPECT_EQ(fetch(), 0);
  EXPECT_EQ(fetch(), 504);
  EXPECT_EQ(connects, 1);
}

}  // namespace
}  // namespace baselines
