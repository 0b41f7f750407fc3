// For any input: no crash, no leak, no limit passed - and however it is cut, the same answer.
//
// The entry that libFuzzer calls (target fuzz_handler); handler_mutations.cc calls it in every test
// run with inputs of its own.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "baselines/common/buffer_pool.h"
#include "baselines/common/http.h"
#include "baselines/common/site.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using namespace baselines;

const Site& small_site() {
  static const Site site([] {
    SiteOptions options;  // limits that a short input can reach
    options.max_target_bytes = 40;
    options.max_head_bytes = 300;
    options.max_fields = 5;
    options.max_body_bytes = 64;
    return options;
  }());
  return site;
}

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz_handler: %s\n", what);
  std::abort();
}

struct Outcome {
  std::string bytes;
  Want want;
};

void take_output(Connection& connection, Clock::time_point now, std::size_t most,
                 std::string& all) {
  while (connection.want() == Want::output) {
    require(!connection.output().empty(), "output is wanted but there is none");
    std::size_t taken = 0;
    for (const iovec& piece : connection.output()) {
      const std::size_t n = std::min(piece.iov_len, most - taken);
      all.append(static_cast<const char*>(piece.iov_base), n);
      taken += n;
      if (taken == most) break;
    }
    connection.sent(taken, now);
  }
}

// `cut` 0: everything at once.
Outcome converse(std::string_view input, unsigned cut) {
  const std::ptrdiff_t blocks = BufferPool::statistics().borrowed;
  const Clock::time_point now{std::chrono::hours(1)};
  static CounterSlot slot{};
  Outcome outcome;
  {
    Connection connection(small_site(), slot, now);
    unsigned random = cut;
    const std::size_t most = cut == 0 ? std::string::npos : 1 + cut % 997;
    for (std::size_t at = 0; at < input.size();) {
      random = random * 1664525 + 1013904223;  // the constants of Numerical Recipes
      const std::size_t left = input.size() - at;
      const std::size_t n = cut == 0 ? left : std::min<std::size_t>(1 + (random >> 16) % cut, left);
      connection.advance({input.data() + at, n}, now);
      take_output(connection, now, most, outcome.bytes);
      at += n;
    }
    outcome.want = connection.want();
    connection.end_of_input(now);
    take_output(connection, now, most, outcome.bytes);
    if (connection.want() == Want::shut_down) connection.has_shut_down(now);
    require(connection.want() == Want::close, "open after the end of the input");
    require(BufferPool::statistics().borrowed == blocks, "a block is held by a closed connection");
  }
  return outcome;
}

// Dates may differ by a second between two runs; cut them out.
std::string without_dates(std::string bytes) {
  for (std::size_t at = 0; (at = bytes.find("\r\nDate: ", at)) != std::string::npos;) {
    bytes.erase(at, 39);  // the field with one line end
  }
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Outcome whole = converse(input, 0);
  const std::string expected = without_dates(whole.bytes);
  for (const unsigned cut : {1u, 3u, 17u, 200u}) {
    const Outcome pieces = converse(input, cut);
    require(pieces.want == whole.want, "the cut changes what is wanted");
    require(without_dates(pieces.bytes) == expected, "the cut changes the answer");
  }
  return 0;
}
