#include "baselines/common/blocking_socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "baselines/common/send.h"
#include "baselines/common/timeval.h"

namespace baselines {
namespace {

using namespace std::chrono_literals;

// How far a timeout may miss its deadline before it is worth a system call: a few ticks of the
// coarse clock, or a sixteenth of the timeout where that is more.
constexpr Clock::duration kTolerance = 20ms;

Transfer failure() { return {errno == EAGAIN ? Transfer::End::timed_out : Transfer::End::broken}; }

}  // namespace

void BlockingStream::allow_until(Clock::time_point deadline, int option,
                                 Clock::duration& armed) const {
  // At least a tick: a timeout of 0 would mean to wait for ever.
  const Clock::duration wanted = std::max<Clock::duration>(deadline - Clock::now(), 4ms);
  const Clock::duration tolerance = std::max(kTolerance, wanted / 16);
  if (std::chrono::abs(armed - wanted) <= tolerance) return;
  armed = wanted;
  const timeval timeout = to_timeval(wanted);
  setsockopt(fd_, SOL_SOCKET, option, &timeout, sizeof(timeout));
}

Transfer BlockingStream::read(std::span<char> buffer, Clock::time_point deadline) {
  allow_until(deadline, SO_RCVTIMEO, receive_timeout_);
  for (;;) {
    const ssize_t bytes = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (bytes > 0) return {Transfer::End::done, static_cast<std::size_t>(bytes)};
    if (bytes == 0) return {Transfer::End::over};
    if (errno != EINTR) return failure();
  }
}

Transfer BlockingStream::write(std::span<const iovec> pieces, Clock::time_point deadline) {
  allow_until(deadline, SO_SNDTIMEO, send_timeout_);
  for (;;) {
    const ssize_t bytes = send_pieces(fd_, pieces);
    if (bytes >= 0) return {Transfer::End::done, static_cast<std::size_t>(bytes)};
    if (errno != EINTR) return failure();
  }
}

Transfer::End BlockingStream::connect(const Origin& origin, Clock::time_point deadline) {
  allow_until(deadline, SO_SNDTIMEO, send_timeout_);
  if (::connect(fd_, origin.address(), origin.address_size()) == 0) return Transfer::End::done;
  if (errno == EINPROGRESS) return Transfer::End::timed_out;
  if (errno != EINTR) {
    origin.cannot_connect(errno);
    return Transfer::End::broken;
  }
  // A signal has ended the call, not the connecting; a second call would only say so.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  pollfd connecting{fd_, POLLOUT, 0};
  if (poll(&connecting, 1, std::max(0, static_cast<int>(left.count()))) != 1) {
    return Transfer::End::timed_out;
  }
  return (connecting.revents & POLLERR) == 0 ? Transfer::End::done : Transfer::End::broken;
}

void BlockingStream::shut_down() { shutdown(fd_, SHUT_WR); }

}  // namespace baselines
