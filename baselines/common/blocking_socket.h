// Sockets whose calls wait in the kernel: what mp and mt put under the straight loop.
#pragma once

#include <span>

#include "baselines/common/clock.h"
#include "baselines/common/fd.h"
#include "baselines/common/plain_socket.h"

namespace baselines {

// A connected socket. The descriptor stays the caller's.
class BlockingStream {
 public:
  // `timeout` is the SO_RCVTIMEO and SO_SNDTIMEO that the socket has.
  BlockingStream(int fd, Clock::duration timeout)
      : fd_(fd), receive_timeout_(timeout), send_timeout_(timeout) {}

  Transfer read(std::span<char> buffer, Clock::time_point deadline);
  Transfer write(std::span<const iovec> pieces, Clock::time_point deadline);
  Transfer::End connect(const Origin& origin, Clock::time_point deadline);
  void shut_down();

 private:
  // Makes a call that waits end near `deadline`. Between whole requests the deadline lies one full
  // timeout ahead, so this costs nothing; only a client in the middle of a request needs a new one.
  void allow_until(Clock::time_point deadline, int option, Clock::duration& armed) const;

  int fd_;
  Clock::duration receive_timeout_;
  Clock::duration send_timeout_;
};

// A connection to another server, and its owner.
class BlockingUpstream {
 public:
  Transfer::End connect(const Origin& origin, Clock::time_point deadline) {
    fd_ = origin.open_socket(0);
    if (!fd_) return Transfer::End::broken;
    stream_ = BlockingStream(fd_.get(), kNone);
    return stream_.connect(origin, deadline);
  }
  Transfer read(std::span<char> buffer, Clock::time_point deadline) {
    return stream_.read(buffer, deadline);
  }
  Transfer write(std::span<const iovec> pieces, Clock::time_point deadline) {
    return stream_.write(pieces, deadline);
  }

 private:
  // A new socket waits without limit; this is as good as none, and can be calculated with.
  static constexpr Clock::duration kNone = std::chrono::hours(24 * 365);

  Fd fd_;
  BlockingStream stream_{-1, kNone};
};

// A client's socket.
using BlockingSocket = PlainSocket<BlockingStream, OwnBuffer, BlockingUpstream>;

}  // namespace baselines
