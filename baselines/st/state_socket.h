// A socket whose calls let other state threads run: what st puts under the straight loop.
#pragma once

#include <st.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <new>
#include <span>

#include "baselines/common/buffer_pool.h"
#include "baselines/common/clock.h"
#include "baselines/common/straight_loop.h"

namespace baselines {

class StateUpstream;

class StateSocket {
 public:
  using Upstream = StateUpstream;

  // The descriptor stays the caller's.
  explicit StateSocket(st_netfd_t socket) : socket_(socket) {}

  // One for all state threads of a kernel thread: nothing switches between the end of a read and
  // the use of what it brought.
  static std::span<char> buffer() {
    static thread_local std::array<char, kReadBytes> shared;
    return shared;
  }
  static std::span<char> roomy_buffer() { return buffer(); }

  Transfer read(std::span<char> buffer, Clock::time_point deadline) {
    const ssize_t bytes = st_read(socket_, buffer.data(), buffer.size(), until(deadline));
    if (bytes > 0) return {Transfer::End::done, static_cast<std::size_t>(bytes)};
    if (bytes == 0) return {Transfer::End::over};
    return {errno == ETIME ? Transfer::End::timed_out : Transfer::End::broken};
  }

  Transfer write(std::span<const iovec> pieces, Clock::time_point deadline) {
    const ssize_t bytes =
        pieces.size() == 1
            ? st_write(socket_, pieces[0].iov_base, pieces[0].iov_len, until(deadline))
            : st_writev(socket_, pieces.data(), static_cast<int>(pieces.size()), until(deadline));
    if (bytes >= 0) return {Transfer::End::done, static_cast<std::size_t>(bytes)};
    // Also when the client took nothing for too long: how much it took before is not known, so
    // nothing can follow.
    return {Transfer::End::broken};
  }

  void shut_down() { shutdown(st_netfd_fileno(socket_), SHUT_WR); }

  // A helper thread waits for the disk, and other state threads run meanwhile.
  template <class Work>
  void block(Work work) {
    const auto call = [](void* argument) -> void* {
      (*static_cast<Work*>(argument))();
      return nullptr;
    };
    // Without a limit, because the work goes on after one; and nobody interrupts this thread.
    if (st_offload(call, &work, nullptr, ST_UTIME_NO_TIMEOUT) != 0) work();  // no helper to be had
  }

  // The handler goes deeper than the waits around it. On the stack that all state threads share it
  // is in the cache, and a connection keeps one page of its own.
  template <class Work>
  static void step(const Work& work) {
    st_leaf_call([](void* argument) { (*static_cast<const Work*>(argument))(); },
                 const_cast<Work*>(&work));
  }

  // When the scheduler last looked at events, as the loop of edsm takes one time for all that an
  // epoll_wait() brings.
  static Clock::time_point now() {
    return Clock::time_point(std::chrono::microseconds(st_utime_last_clock()));
  }

  // st_ calls take what is left, and 0 or less would not wait; a tick of the coarse clock does.
  static st_utime_t until(Clock::time_point deadline) {
    const auto left = std::max<Clock::duration>(deadline - now(), std::chrono::milliseconds(4));
    return static_cast<st_utime_t>(std::chrono::ceil<std::chrono::microseconds>(left).count());
  }

 private:
  st_netfd_t socket_;
};

// A mechanism that carries out transfers writes while others run, so a connection has a buffer of
// its own. A small one, which lies in the one page of its stack that it touches anyway; while more
// than that comes at a time, it borrows a large one.
class CompletingSocket : public StateSocket {
 public:
  using StateSocket::StateSocket;

  std::span<char> buffer() {
    if (!much_) {
      large_.reset();
      return small_;
    }
    try {
      if (large_ == nullptr) large_ = borrow<Large>();
      return *large_;
    } catch (const std::bad_alloc&) {
      return small_;  // it only takes more reads
    }
  }
  std::span<char> roomy_buffer() {
    much_ = true;
    return buffer();
  }

  Transfer read(std::span<char> buffer, Clock::time_point deadline) {
    const Transfer moved = StateSocket::read(buffer, deadline);
    much_ = moved.bytes >= kSmall;
    return moved;
  }

 private:
  // Nearly every request, and what the page has room for beside the frames of a wait.
  static constexpr std::size_t kSmall = 1024;
  using Large = std::array<char, kReadBytes>;

  bool much_ = false;  // is expected of the next read
  Borrowed<Large> large_;
  std::array<char, kSmall> small_;
};

// A connection to another server, and its owner.
class StateUpstream {
 public:
  Transfer::End connect(const Origin& origin, Clock::time_point deadline) {
    Fd fd = origin.open_socket(SOCK_NONBLOCK);
    if (!fd) return Transfer::End::broken;
    socket_.reset(st_netfd_open_socket(fd.get()));
    if (socket_ == nullptr) return Transfer::End::broken;
    fd.release();  // the wrapper's now
    if (st_connect(socket_.get(), origin.address(), static_cast<int>(origin.address_size()),
                   StateSocket::until(deadline)) == 0) {
      return Transfer::End::done;
    }
    if (errno == ETIME) return Transfer::End::timed_out;
    origin.cannot_connect(errno);
    return Transfer::End::broken;
  }
  Transfer read(std::span<char> buffer, Clock::time_point deadline) {
    return StateSocket(socket_.get()).read(buffer, deadline);
  }
  Transfer write(std::span<const iovec> pieces, Clock::time_point deadline) {
    const Transfer moved = StateSocket(socket_.get()).write(pieces, deadline);
    // Nothing is to follow here, so it can be told why.
    if (moved.end == Transfer::End::broken && errno == ETIME) return {Transfer::End::timed_out};
    return moved;
  }

 private:
  struct Close {
    void operator()(st_netfd_t socket) const noexcept { st_netfd_close(socket); }
  };
  std::unique_ptr<_st_netfd, Close> socket_;
};

}  // namespace baselines
