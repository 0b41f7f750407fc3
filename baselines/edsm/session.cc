#include "baselines/edsm/session.h"

#include <sys/socket.h>

#include <cerrno>

#include "baselines/common/send.h"

namespace baselines {
namespace {

// Full buffers that one session may read before the others get their turn: 256 KiB, well below a
// millisecond.
constexpr int kReadsPerTurn = 16;

}  // namespace

Want Session::advance(std::span<char> buffer, Clock::time_point now) {
  int reads = 0;
  for (Want want = connection_.want();;) {
    switch (want) {
      case Want::input:
        if (!readable_ || reads++ == kReadsPerTurn) return want;
        want = read_once(buffer, now);
        break;
      case Want::output:
        if (!writable_) return want;
        want = write_once(now);
        break;
      case Want::job:
        if (job_state_ != JobState::carried_out) return want;
        job_state_ = JobState::none;
        want = connection_.done(now);
        break;
      case Want::shut_down:
        shutdown(fd(), SHUT_WR);
        want = connection_.has_shut_down(now);
        break;
      case Want::close:
        return want;
    }
  }
}

Want Session::read_once(std::span<char> buffer, Clock::time_point now) {
  const ssize_t bytes = recv(fd(), buffer.data(), buffer.size(), 0);
  if (bytes > 0) {
    // A read that did not fill the buffer has emptied the socket; the next byte will be a new
    // event. Only an end of input that was already seen would not be told a second time.
    readable_ = hung_up_ || static_cast<std::size_t>(bytes) == buffer.size();
    return connection_.advance(buffer.first(static_cast<std::size_t>(bytes)), now);
  }
  if (bytes < 0 && errno == EAGAIN) {
    readable_ = false;
    return Want::input;
  }
  readable_ = false;
  return bytes == 0 ? connection_.end_of_input(now) : Want::close;
}

Want Session::write_once(Clock::time_point now) {
  const std::span<const iovec> pieces = connection_.output();
  std::size_t wanted = 0;
  for (const iovec& piece : pieces) wanted += piece.iov_len;
  const ssize_t bytes = send_pieces(fd(), pieces);
  if (bytes < 0 && errno != EAGAIN) return Want::close;
  const std::size_t taken = bytes < 0 ? 0 : static_cast<std::size_t>(bytes);
  writable_ = taken == wanted;  // less: the socket's buffer is full, there will be an event
  return taken == 0 ? Want::output : connection_.sent(taken, now);
}

Want Session::timed_out(std::span<char> buffer, Clock::time_point now) {
  connection_.timed_out(now);
  return advance(buffer, now);
}

void Session::stop_receiving() {
  shutdown(fd(), SHUT_RD);
  became({.readable = true, .writable = false, .hung_up = true});
}

}  // namespace baselines
