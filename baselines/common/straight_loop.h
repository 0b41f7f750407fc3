// One connection from its first byte to its last, written as if nobody else existed.
//
// The vehicle under it may be a process, a kernel thread or a state thread: `Socket` decides what
// happens when a call has to wait, this loop does not know.
#pragma once

#include <cstddef>
#include <span>

#include "baselines/common/http.h"
#include "baselines/common/straight_jobs.h"
#include "baselines/common/transfer.h"

namespace baselines {

// Room for what one read takes, in every architecture: a keep-alive request is a few hundred bytes,
// a pipelined batch a few thousand. What was read is used up before the loop reads again or waits.
inline constexpr std::size_t kReadBytes = std::size_t{16} * 1024;

// The stack of a thread, kernel's or state thread, that serves one connection: many times what the
// handler's frames need. It is address space; small requests touch a few pages of it.
inline constexpr std::size_t kServeStackBytes = std::size_t{64} * 1024;

// `Socket` has   std::span<char> buffer(), where the next read goes
//                std::span<char> roomy_buffer(), the same for what an origin answers
//                Transfer read(std::span<char>, Clock::time_point deadline)
//                Transfer write(std::span<const iovec>, Clock::time_point deadline)
//                void shut_down(), which ends the sending side
//                static Clock::time_point now(), as fine as timeouts need it
//                static void step(F work), which calls work(), a step of the handler that never
//                waits
//                void block(F work), which calls work(), which waits for a disk
//          and   a type Upstream, a connection to another server that it closes in the end, with
//                End connect(const Origin&, Clock::time_point deadline), read() and write()

// Does what is wanted and concerns neither reading from the client nor writing to it.
template <class Socket>
[[gnu::noinline]] Want serve_otherwise(Socket& socket, Connection& connection, Want want) {
  if (want == Want::shut_down) {
    socket.shut_down();
    return connection.has_shut_down(Clock::now());
  }
  carry_out(connection.job(), socket, connection.deadline());
  socket.step([&] { want = connection.done(Clock::now()); });
  return want;
}

// The step of the handler that follows from a transfer; `read` is where a read has put its bytes.
inline Want step_after(Connection& connection, Want want, Transfer moved, const char* read,
                       Clock::time_point now) {
  switch (moved.end) {
    case Transfer::End::done:
      return want == Want::input ? connection.advance({read, moved.bytes}, now)
                                 : connection.sent(moved.bytes, now);
    case Transfer::End::timed_out:
      return connection.timed_out(now);
    case Transfer::End::over:
      return connection.end_of_input(now);
    case Transfer::End::broken:
      return Want::close;
  }
  __builtin_unreachable();
}

// The same where the architecture wants it to run. Not inline: what is handed over then lies where
// the next wait's frames will be, and not in a frame that every waiting connection keeps.
template <class Socket>
[[gnu::noinline]] Want follow_up(Connection& connection, Want want, Transfer moved,
                                 const char* read) {
  Socket::step([&connection, &want, moved, read] {
    want = step_after(connection, want, moved, read, Socket::now());
  });
  return want;
}

// Inline, so that this function and the one around it keep one frame.
template <class Socket>
[[gnu::always_inline]] inline void serve_connection(Socket& socket, const Site& site,
                                                    CounterSlot& slot) {
  Connection connection(site, slot, Socket::now());
  Want want = Want::input;
  while (want != Want::close) {
    if (want != Want::input && want != Want::output) {
      want = serve_otherwise(socket, connection, want);
      continue;
    }
    const std::span<char> buffer = socket.buffer();
    const Transfer moved = want == Want::input
                               ? socket.read(buffer, connection.deadline())
                               : socket.write(connection.output(), connection.deadline());
    want = follow_up<Socket>(connection, want, moved, buffer.data());
  }
}

}  // namespace baselines
