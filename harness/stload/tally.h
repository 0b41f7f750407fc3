// What one process counts. It lies in memory that is shared with the parent, so there are no
// pointers in it; only its own process writes it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "harness/stload/histogram.h"

namespace stload {

// Why a request has no right answer, in the order of JSON (results/schema/stload.schema.json says
// what each means). `none` comes last: it is not counted.
enum class Failure : std::uint8_t {
  connect,
  write,
  read,
  closed,
  timeout,
  malformed,
  wrong_body,
  unfinished,
  unsent,
  none,
};
inline constexpr std::array<const char*, 9> kFailureNames = {
    "connect",   "write",      "read",       "closed", "timeout",
    "malformed", "wrong_body", "unfinished", "unsent"};
inline constexpr std::size_t kFailures = kFailureNames.size();
static_assert(kFailures == static_cast<std::size_t>(Failure::none));

struct Counts {
  std::uint64_t answers = 0;
  std::array<std::uint64_t, 1000> statuses{};  // an HTTP status has three digits
  std::array<std::uint64_t, kFailures> errors{};

  void add(Failure failure, int status, std::uint64_t times = 1);
  void merge(const Counts& other);
  std::uint64_t failed() const;
};

struct CpuTime {
  Duration user{}, system{};
};

struct Tally {
  Counts run;     // everything
  Counts window;  // requests of the clients that are due in the window
  Counts slow;    // of the slow clients beside them, everything

  std::uint64_t connections = 0;  // opened
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t window_bytes_read = 0;  // inside it
  std::uint64_t completed = 0;          // answers to the clients inside the window
  std::uint64_t queued = 0;             // in the window: due while no client was waiting for it

  Histogram latency;     // of window.answers
  Histogram read_lag;    // of those of them whose arrival is known: arrived to read
  Histogram send_lag;    // of all in the window that were sent: due to sent
  Histogram wakeup_lag;  // of those that a client was waiting to send
  Histogram connect;     // of all connections

  bool clock_was_set = false;  // that of the day, by which the kernel stamps arrivals

  std::uint64_t idle_opened = 0;
  std::uint64_t idle_open = 0;  // at the end
  std::uint64_t idle_closed_by_server = 0;

  CpuTime window_cpu;
  double busiest_share = 0;  // window_cpu of one process, over the length of the window

  // What the first failure of each kind said; ends with a 0.
  std::array<std::array<char, 480>, kFailures> said{};

  std::array<char, 480> fatal{};  // why the process could not go on; ends with a 0

  // The parent reads these while the process runs, for the progress line.
  std::atomic<std::uint64_t> live_answers{0}, live_failures{0};

  void say(Failure failure, std::string_view text);
  void merge(const Tally& other);
};

// One for each client, in shared memory as well.
struct ClientCounts {
  std::uint32_t requests = 0;   // of the window
  std::uint32_t answers = 0;    // to them
  std::uint32_t completed = 0;  // inside the window
};

}  // namespace stload
