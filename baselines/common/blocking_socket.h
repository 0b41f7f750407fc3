// A socket whose calls wait in the kernel: what mp and mt put under the straight loop.
#pragma once

#include <array>
#include <span>

#include "baselines/common/clock.h"
#include "baselines/common/straight_loop.h"

namespace baselines {

class BlockingSocket {
 public:
  // `timeout` is the SO_RCVTIMEO and SO_SNDTIMEO that the socket has inherited from its listener.
  // The descriptor stays the caller's.
  BlockingSocket(int fd, Clock::duration timeout)
      : fd_(fd), receive_timeout_(timeout), send_timeout_(timeout) {}

  std::span<char> buffer() { return buffer_; }
  Transfer read(std::span<char> buffer, Clock::time_point deadline);
  Transfer write(std::span<const iovec> pieces, Clock::time_point deadline);
  template <class Work>
  void step(Work work) {
    work();
  }

 private:
  // Makes a call that waits end near `deadline`. Between whole requests the deadline lies one full
  // timeout ahead, so this costs nothing; only a client in the middle of a request needs a new one.
  void allow_until(Clock::time_point deadline, int option, Clock::duration& armed) const;

  int fd_;
  Clock::duration receive_timeout_;
  Clock::duration send_timeout_;
  // On the vehicle's own stack and never written before a read, so waiting touches none of it.
  std::array<char, kReadBytes> buffer_;
};

}  // namespace baselines
