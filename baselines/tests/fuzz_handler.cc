// For any input: no crash, no leak, no limit passed - and however it is cut, the same answer.
//
// The entry that libFuzzer calls (target fuzz_handler); handler_mutations.cc calls it in every test
// run with inputs of its own and with those of corpus/handler. What longer runs have found is in
// tests/README.md.
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "baselines/common/buffer_pool.h"
#include "baselines/common/http.h"
#include "baselines/common/job.h"
#include "baselines/common/site.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using namespace baselines;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz_handler: %s\n", what);
  std::abort();
}

SiteOptions small_options() {
  SiteOptions options;  // limits that a short input can reach
  options.max_target_bytes = 40;
  options.max_head_bytes = 300;
  options.max_fields = 5;
  options.max_body_bytes = 64;
  options.max_cpu_microseconds = 20;
  options.max_alloc_pairs = 50;
  options.max_disk_reads = 4;
  options.origin_host = "127.0.0.1";  // nobody connects
  options.origin_port = 80;
  return options;
}

// With a file for /disk/, unless this folder's file system is one that is refused.
const Site* make_site() {
  SiteOptions options = small_options();
  options.disk_file = "fuzz_disk_file_" + std::to_string(getpid());
  std::array<char, kDiskBlockBytes> block;
  fill_disk_block(0, block);
  std::ofstream(options.disk_file, std::ios::binary).write(block.data(), block.size());
  const Site* site = nullptr;
  try {
    site = new Site(options);  // never destroyed: libFuzzer ends by exit()
  } catch (const std::runtime_error&) {
    site = new Site(small_options());
  }
  unlink(options.disk_file.c_str());  // the site has it open
  return site;
}

const Site& small_site() {
  static const Site* const site = make_site();
  return *site;
}

struct Outcome {
  std::string bytes;
  Want want;
};

// A job's end that depends on what is asked and on nothing else.
void carry_out(Job& job) {
  auto* const fetch = std::get_if<FetchJob>(&job.work);
  if (fetch == nullptr) return;  // as if the disk had been read
  std::string answer = "HTTP/1.1 " + std::to_string(200 + fetch->request.size()) + " As asked\r\n";
  switch (fetch->request.size() % 4) {
    case 0:
      job.failure = 504;
      return;
    case 1:
      answer += "Content-Length: 3000\r\n\r\n" + std::string(3000, 'c');  // too large to be copied
      break;
    case 2:
      answer += "Transfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\n";
      break;
    default:
      answer += "Content-Length: 0\r\n\r\n";
      break;
  }
  fetch->answer.take(answer);
}

// Does what is wanted until it is input, or nothing more.
void drive(Connection& connection, Clock::time_point now, std::size_t most, std::string& all) {
  for (;;) {
    switch (connection.want()) {
      case Want::input:
      case Want::close:
        return;
      case Want::job:
        carry_out(connection.job());
        connection.done(now);
        break;
      case Want::shut_down:
        connection.has_shut_down(now);
        break;
      case Want::output: {
        require(!connection.output().empty(), "output is wanted but there is none");
        std::size_t taken = 0;
        for (const iovec& piece : connection.output()) {
          const std::size_t n = std::min(piece.iov_len, most - taken);
          all.append(static_cast<const char*>(piece.iov_base), n);
          taken += n;
          if (taken == most) break;
        }
        connection.sent(taken, now);
        break;
      }
    }
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
      drive(connection, now, most, outcome.bytes);
      at += n;
    }
    outcome.want = connection.want();
    connection.end_of_input(now);
    drive(connection, now, most, outcome.bytes);
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
