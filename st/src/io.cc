// The calls that transfer: try, and wait only if the kernel has nothing or no room.
#include "io.h"

#include <errno.h>
#include <limits.h>

#include <algorithm>

#include "errors.h"
#include "operation.h"
#include "scheduler.h"

namespace {

using st::Netfd;
using st::netfd_is_tcp;
using st::netfd_wait;
using st::Operation;
using st::scheduler;
using st::Tcp;
using Kind = st::Operation::Kind;

// Whether to try at all: what is known to be empty or full is waited for without a failing attempt.
// With an interrupt pending it matters whether the call really has to wait, so it is not enough to
// believe so.
inline bool worth_trying(const Netfd* fd, const Operation& operation) {
  return (fd->watch->ready & operation.needs()) || scheduler.events.completes() ||
         scheduler.interrupt_pending() || operation.apart_from_the_stream();
}

// Whether an attempt has failed only for now.
inline bool failed_for_now() { return errno == EAGAIN || errno == EINTR; }
static_assert(EWOULDBLOCK == EAGAIN);

// A TCP socket that gave or took less than it could have is empty or full now.
inline void note(Netfd* fd, short what, ssize_t done, size_t wanted) {
  if (done > 0 && static_cast<size_t>(done) < wanted && !fd->watch->ended && netfd_is_tcp(fd))
    fd->watch->ready &= ~what;
}

// Repeats an operation until it succeeds or fails for good, waiting when it would block.
ssize_t transfer(Netfd* fd, const Operation& operation, st_utime_t timeout) {
  const short what = operation.needs();
  for (;;) {
    if (worth_trying(fd, operation)) {
      const ssize_t done = scheduler.events.perform(*fd->watch, operation, timeout);
      if (done >= 0) {
        note(fd, what, done, operation.bytes());
        return done;
      }
      if (errno == EINTR && !scheduler.events.completes()) continue;
      if (errno != EAGAIN) return -1;
      fd->watch->ready &= ~what;
    }
    if (!netfd_wait(fd, what, timeout)) return -1;
    // Also where the report does not say so (a mechanism may report more than it knows): try.
    fd->watch->ready |= what;
  }
}

Operation reading(const Netfd* fd, void* buf, size_t size) {
  return {fd->watch->tcp == Tcp::yes ? Kind::recv : Kind::read, fd->fd, buf, size};
}

Operation writing(const Netfd* fd, const void* buf, size_t size) {
  return {fd->watch->tcp == Tcp::yes ? Kind::send : Kind::write, fd->fd, const_cast<void*>(buf),
          size};
}

// Apart, so that calls which nearly always need no operation in memory have no place for one.
[[gnu::noinline]] ssize_t read_some(Netfd* fd, void* buf, size_t size, st_utime_t timeout) {
  return transfer(fd, reading(fd, buf, size), timeout);
}

[[gnu::noinline]] ssize_t write_some(Netfd* fd, const void* buf, size_t size, st_utime_t timeout) {
  return transfer(fd, writing(fd, buf, size), timeout);
}

// By `kind`, readv or writev; the kernel takes at most so many pieces in one call.
ssize_t vector_some(Netfd* fd, Kind kind, const iovec* iov, int count, st_utime_t timeout) {
  const auto pieces = static_cast<size_t>(std::min(count, IOV_MAX));
  return transfer(fd, {kind, fd->fd, const_cast<iovec*>(iov), pieces}, timeout);
}

// Takes what has been transferred out of a vector, and empty pieces with it.
void advance(iovec** iov, int* count, size_t bytes) {
  for (; *count > 0; ++*iov, --*count) {
    iovec& piece = **iov;
    const size_t taken = std::min(bytes, piece.iov_len);
    piece.iov_base = static_cast<char*>(piece.iov_base) + taken;
    piece.iov_len -= taken;
    bytes -= taken;
    if (piece.iov_len > 0) return;
  }
}

// Repeats a transfer until nothing is missing, it fails, or the other side has ended.
int vector_resid(Netfd* fd, Kind kind, iovec** iov, int* count, st_utime_t timeout) {
  advance(iov, count, 0);
  while (*count > 0) {
    const ssize_t done = vector_some(fd, kind, *iov, *count, timeout);
    if (done < 0 || (done == 0 && kind == Kind::readv)) return static_cast<int>(done);
    advance(iov, count, static_cast<size_t>(done));
  }
  return 0;
}

msghdr message_of(iovec* piece, const sockaddr* name, int size) {
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(name);
  message.msg_namelen = name ? static_cast<socklen_t>(size) : 0;
  message.msg_iov = piece;
  message.msg_iovlen = 1;
  return message;
}

}  // namespace

st_netfd_t st_accept(st_netfd_t fd, struct sockaddr* addr, int* addrlen, st_utime_t timeout) {
  const ssize_t accepted =
      transfer(fd, {Kind::accept, fd->fd, addr, 0, SOCK_NONBLOCK, addrlen}, timeout);
  if (accepted < 0) return nullptr;
  return st::netfd_wrap_or_close(static_cast<int>(accepted), netfd_is_tcp(fd) ? Tcp::yes : Tcp::no);
}

int st_connect(st_netfd_t fd, const struct sockaddr* addr, int addrlen, st_utime_t timeout) {
  bool interrupted = false;
  while (connect(fd->fd, addr, static_cast<socklen_t>(addrlen)) != 0) {
    if (errno == EINTR) {
      interrupted = true;
      continue;
    }
    // A connect that a signal interrupted goes on in the kernel; asking again then finds it under
    // way, or done.
    if (interrupted && errno == EISCONN) break;
    const bool under_way =
        errno == EINPROGRESS || (interrupted && (errno == EALREADY || errno == EADDRINUSE));
    if (!under_way || !netfd_wait(fd, POLLOUT, timeout)) return -1;
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(fd->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return -1;
    return error ? st::fail(error) : 0;
  }
  return 0;
}

ssize_t st_read(st_netfd_t fd, void* buf, size_t nbyte, st_utime_t timeout) {
  // Nearly always a socket was found empty by the read before, and something has come when the wait
  // ends. One frame, and a small one: with thousands of waiting threads each line of it comes from
  // memory again.
  if (nbyte == 0 || scheduler.events.completes()) return read_some(fd, buf, nbyte, timeout);
  if (!(fd->watch->ready & POLLIN) && !scheduler.interrupt_pending()) {
    if (!st::netfd_wait_inline(fd, POLLIN, timeout)) return -1;
    fd->watch->ready |= POLLIN;
  }
  const ssize_t got = reading(fd, buf, nbyte).execute();
  if (got < 0) return failed_for_now() ? read_some(fd, buf, nbyte, timeout) : -1;
  note(fd, POLLIN, got, nbyte);
  return got;
}

ssize_t st_readv(st_netfd_t fd, const struct iovec* iov, int iov_size, st_utime_t timeout) {
  const auto count = static_cast<size_t>(iov_size);
  return transfer(fd, {Kind::readv, fd->fd, const_cast<iovec*>(iov), count}, timeout);
}

int st_read_resid(st_netfd_t fd, void* buf, size_t* resid, st_utime_t timeout) {
  auto* to = static_cast<char*>(buf);
  do {
    const ssize_t got = st_read(fd, to, *resid, timeout);
    if (got <= 0) return static_cast<int>(got);
    to += got;
    *resid -= static_cast<size_t>(got);
  } while (*resid > 0);
  return 0;
}

ssize_t st_read_fully(st_netfd_t fd, void* buf, size_t nbyte, st_utime_t timeout) {
  size_t resid = nbyte;
  return st_read_resid(fd, buf, &resid, timeout) == 0 ? static_cast<ssize_t>(nbyte - resid) : -1;
}

int st_readv_resid(st_netfd_t fd, struct iovec** iov, int* iov_size, st_utime_t timeout) {
  return vector_resid(fd, Kind::readv, iov, iov_size, timeout);
}

int st_write_resid(st_netfd_t fd, const void* buf, size_t* resid, st_utime_t timeout) {
  const auto* from = static_cast<const char*>(buf);
  do {
    const ssize_t put = write_some(fd, from, *resid, timeout);
    if (put < 0) return -1;
    from += put;
    *resid -= static_cast<size_t>(put);
  } while (*resid > 0);
  return 0;
}

ssize_t st_write(st_netfd_t fd, const void* buf, size_t nbyte, st_utime_t timeout) {
  size_t resid = nbyte;
  // Nearly always everything goes at once, with hardly a frame on the stack.
  if ((fd->watch->ready & POLLOUT) && !scheduler.events.completes()) {
    const ssize_t put = writing(fd, buf, nbyte).execute();
    if (put >= 0 && static_cast<size_t>(put) == nbyte) return put;
    if (put < 0 && !failed_for_now()) return -1;  // a socket tells its error once
    note(fd, POLLOUT, put, nbyte);
    if (put > 0) resid -= static_cast<size_t>(put);
  }
  const char* rest = static_cast<const char*>(buf) + (nbyte - resid);
  return st_write_resid(fd, rest, &resid, timeout) == 0 ? static_cast<ssize_t>(nbyte) : -1;
}

int st_writev_resid(st_netfd_t fd, struct iovec** iov, int* iov_size, st_utime_t timeout) {
  return vector_resid(fd, Kind::writev, iov, iov_size, timeout);
}

ssize_t st_writev(st_netfd_t fd, const struct iovec* iov, int iov_size, st_utime_t timeout) {
  size_t all = 0;
  while (iov_size > 0 && iov->iov_len == 0) ++iov, --iov_size;
  while (iov_size > 0) {
    const ssize_t put = vector_some(fd, Kind::writev, iov, iov_size, timeout);
    if (put < 0) return -1;
    auto gone = static_cast<size_t>(put);
    all += gone;
    for (; iov_size > 0 && gone >= iov->iov_len; ++iov, --iov_size) gone -= iov->iov_len;
    if (gone == 0) continue;
    // The vector is the caller's, so the rest of a piece goes alone.
    size_t rest = iov->iov_len - gone;
    all += rest;
    const char* from = static_cast<const char*>(iov->iov_base) + gone;
    if (st_write_resid(fd, from, &rest, timeout) != 0) return -1;
    ++iov, --iov_size;
  }
  return static_cast<ssize_t>(all);
}

int st_recvfrom(st_netfd_t fd, void* buf, int len, struct sockaddr* from, int* fromlen,
                st_utime_t timeout) {
  iovec piece = {buf, static_cast<size_t>(len)};
  msghdr message = message_of(&piece, fromlen ? from : nullptr, fromlen ? *fromlen : 0);
  const int got = st_recvmsg(fd, &message, 0, timeout);
  if (got >= 0 && from && fromlen) *fromlen = static_cast<int>(message.msg_namelen);
  return got;
}

int st_sendto(st_netfd_t fd, const void* msg, int len, const struct sockaddr* to, int tolen,
              st_utime_t timeout) {
  iovec piece = {const_cast<void*>(msg), static_cast<size_t>(len)};
  const msghdr message = message_of(&piece, to, tolen);
  return st_sendmsg(fd, &message, 0, timeout);
}

int st_recvmsg(st_netfd_t fd, struct msghdr* msg, int flags, st_utime_t timeout) {
  return static_cast<int>(transfer(fd, {Kind::recvmsg, fd->fd, msg, 0, flags}, timeout));
}

int st_sendmsg(st_netfd_t fd, const struct msghdr* msg, int flags, st_utime_t timeout) {
  return static_cast<int>(
      transfer(fd, {Kind::sendmsg, fd->fd, const_cast<msghdr*>(msg), 0, flags}, timeout));
}
