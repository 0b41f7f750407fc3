// The handler when memory cannot be had: every allocation of a request is refused once, and each
// time the connection ends at most; nothing throws.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <thread>

#include "baselines/common/http.h"
#include "baselines/common/job.h"
#include "baselines/common/site.h"

namespace {

// How many more allocations of this thread succeed; negative: all.
thread_local long allowed = -1;

}  // namespace

// For the whole program, in which all other threads may allocate as they like. Not to be inlined:
// gcc 12 would warn of a free() that belongs to a new.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (allowed == 0) throw std::bad_alloc();
  if (allowed > 0) --allowed;
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace baselines {
namespace {

const Site& site() {
  static const Site the_site{SiteOptions{}};
  return the_site;
}

// Takes all output of a connection, then says what it wants.
Want drain(Connection& connection, Clock::time_point now) {
  Want want = connection.want();
  while (want == Want::output) {
    std::size_t bytes = 0;
    for (const iovec& piece : connection.output()) bytes += piece.iov_len;
    want = connection.sent(bytes, now);
  }
  return want;
}

struct Served {
  Want want;               // in the end
  std::uint64_t answers;   // all of them
  std::uint64_t failures;  // those that say so
};

// Sends `input`, in two pieces, to a new connection in a new thread, whose pool of blocks is empty.
Served serve(std::string_view input, std::size_t cut, long allocations) {
  CounterSlot slot{};
  Want want = Want::close;
  std::thread([&] {
    const auto now = Clock::now();
    Connection connection(site(), slot, now);
    allowed = allocations;
    want = connection.advance(input.substr(0, cut), now);
    if (want == Want::input) want = connection.advance(input.substr(cut), now);
    if (want == Want::output) want = drain(connection, now);
    allowed = -1;
  }).join();
  return {want, slot.requests, slot.errors};
}

class Shortage : public testing::TestWithParam<std::string> {};

TEST_P(Shortage, a_refused_allocation_ends_the_connection_at_most) {
  const std::string request = GetParam();
  for (const std::size_t cut : {std::size_t{0}, std::size_t{10}, request.size() - 1}) {
    const Served whole = serve(request, cut, -1);
    ASSERT_EQ(whole.want, Want::input);
    ASSERT_EQ(whole.answers, 1u);
    long refused = 0;
    for (;; ++refused) {
      ASSERT_LT(refused, 1000);
      const Served served = serve(request, cut, refused);
      if (served.want == Want::input && served.failures == whole.failures) break;  // had enough
      // Or the endpoint alone had too little: then the answer is 500, and the connection goes on.
      EXPECT_TRUE(served.want == Want::close || served.failures == 1) << refused;
    }
    EXPECT_GT(refused, 0) << "nothing was allocated, so nothing was tested";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Requests, Shortage,
    testing::Values("GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n",
                    "GET /bytes/100000 HTTP/1.1\r\nHost: a\r\n\r\n",
                    "GET /none HTTP/1.1\r\nHost: a\r\n\r\n",
                    "GET /plaintext HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"));

}  // namespace
}  // namespace baselines
