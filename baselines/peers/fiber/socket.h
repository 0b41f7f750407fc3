// A connection whose calls let other fibers run: what Boost.Fiber puts under the straight loop.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <span>
#include <utility>

#include "baselines/common/fd.h"
#include "baselines/common/origin.h"
#include "baselines/common/send.h"
#include "baselines/common/transfer.h"
#include "baselines/peers/fiber/reactor.h"

namespace baselines {

// Closes itself. `Place` says where the fiber runs:
//   using Readiness      the kind of Readiness
//   using Handle         a pointer that owns one
//   static Handle make() a new one
//   static bool watch(int fd, Readiness&)   by the reactor of this kernel thread
template <class Place>
class FiberStream {
 public:
  FiberStream() = default;
  explicit FiberStream(Fd fd) { own(std::move(fd)); }

  Transfer::End connect(const Origin& origin, Clock::time_point deadline) {
    if (!own(origin.open_socket(SOCK_NONBLOCK))) return Transfer::End::broken;
    readiness_->forget(Readiness::output);
    if (::connect(fd_.get(), origin.address(), origin.address_size()) != 0 &&
        errno != EINPROGRESS) {
      origin.cannot_connect(errno);
      return Transfer::End::broken;
    }
    return readiness_->wait(Readiness::output, deadline)
               ? Transfer::End::done  // or the first write says why not
               : Transfer::End::timed_out;
  }

  Transfer read(std::span<char> buffer, Clock::time_point deadline) {
    if (!fd_) return {Transfer::End::broken};
    for (;;) {
      if (!readiness_->wait(Readiness::input, deadline)) return {Transfer::End::timed_out};
      readiness_->forget(Readiness::input);
      const ssize_t bytes = try_read(fd_.get(), buffer);
      if (bytes == -EAGAIN) continue;
      if (bytes == 0) return {Transfer::End::over};
      if (bytes < 0) return {Transfer::End::broken};
      // A read that did not fill the buffer has emptied the socket.
      const auto taken = static_cast<std::size_t>(bytes);
      if (taken == buffer.size()) readiness_->remember(Readiness::input);
      return {Transfer::End::done, taken};
    }
  }

  Transfer write(std::span<const iovec> pieces, Clock::time_point deadline) {
    if (!fd_) return {Transfer::End::broken};
    std::size_t wanted = 0;
    for (const iovec& piece : pieces) wanted += piece.iov_len;
    for (;;) {
      if (!readiness_->wait(Readiness::output, deadline)) return {Transfer::End::timed_out};
      readiness_->forget(Readiness::output);
      const ssize_t bytes = try_write(fd_.get(), pieces);
      if (bytes == -EAGAIN) continue;
      if (bytes < 0) return {Transfer::End::broken};
      const auto taken = static_cast<std::size_t>(bytes);
      if (taken == wanted) readiness_->remember(Readiness::output);
      return {Transfer::End::done, taken};
    }
  }

  void shut_down() { shutdown(fd_.get(), SHUT_WR); }

 private:
  using Readiness = typename Place::Readiness;

  // Without memory for it the connection is none: `fd_` stays empty, which reads as broken.
  bool own(Fd fd) {
    if (!fd) return false;
    readiness_ = Place::make();
    if (!Place::watch(fd.get(), *readiness_)) return false;
    fd_ = std::move(fd);
    return true;
  }

  // Not inlined: a fiber may come back from wait() on another kernel thread, and the compiler,
  // which takes the address of errno for a constant, would go on with that of the first.
  [[gnu::noinline]] static ssize_t try_read(int fd, std::span<char> buffer) {
    const ssize_t bytes = recv(fd, buffer.data(), buffer.size(), 0);
    return bytes >= 0 ? bytes : -errno;
  }
  [[gnu::noinline]] static ssize_t try_write(int fd, std::span<const iovec> pieces) {
    const ssize_t bytes = send_pieces(fd, pieces);
    return bytes >= 0 ? bytes : -errno;
  }

  typename Place::Handle readiness_{};
  Fd fd_;  // closed before the readiness goes
};

}  // namespace baselines
