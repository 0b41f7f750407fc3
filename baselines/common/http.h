// The one HTTP handler that every architecture serves.
//
// A Connection is a pure step: bytes in, bytes out, what is wanted next. It never reads, writes,
// waits or asks who calls it, so the same object code runs under a process, a thread, an event loop
// or a state thread, and the difference between two servers is their architecture alone.
//
//   straight loop                                     readiness loop
//   Want want = connection.start(now);                on readable: want = connection.advance(bytes, now)
//   while (want != Want::close)                       on writable: connection.sent(n, now), then advance({}, now)
//     if (want == Want::input) read, advance          on timer:    want = connection.timed_out(now)
//     else write output(), sent
//
// Memory: an idle connection owns no buffer. Unparsed input and unsent output live in buffers that
// are borrowed from the calling thread's pool and given back as soon as they are empty.
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "baselines/common/counters.h"

namespace baselines {

class Site;  // what is served and within which limits; made once before serving (site.h)

// Coarse monotonic time (CLOCK_MONOTONIC_COARSE, about 4 ms fine): enough for timeouts and cheap enough to read once for each event.
struct Clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Clock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};

// What the connection needs next from whoever drives it.
enum class Want {
  input,   // read from the client and call advance() with what came, or end_of_input()
  output,  // write output() and call sent(); when all is sent, it says what is wanted next
  close,   // nothing more will be said: close the socket
};

class Connection {
 public:
  // `site` and `slot` must outlive the connection. Counts one accepted connection.
  Connection(const Site& site, CounterSlot& slot, Clock::time_point now);
  ~Connection();  // counts the connection as closed
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Takes the bytes just read (all of them: what cannot be used yet is kept) and answers as many
  // whole requests as the output has room for. May be called only when input is wanted.
  Want advance(std::span<const char> in, Clock::time_point now);

  // The client has shut down its sending side (read returned 0).
  Want end_of_input(Clock::time_point now);

  // The deadline has passed: 408 in the middle of a request, else a quiet close.
  Want timed_out(Clock::time_point now);

  // What is to be written, in order; valid until the next call that is not const. At most kMaxPieces.
  std::span<const iovec> output() const;

  // `bytes` of output() have been handed to the kernel. Call it until it no longer says `output`.
  Want sent(std::size_t bytes, Clock::time_point now);

  // When the present wait for the client becomes too long. A client earns a new deadline by a whole
  // request or by taking output; a byte now and then does not move it.
  Clock::time_point deadline() const;

  static constexpr std::size_t kMaxPieces = 16;

 private:
  struct Impl;  // replace by members: a connection should be one object without a second allocation
};

}  // namespace baselines
