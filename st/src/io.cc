// The calls that transfer: try, and wait only if the kernel has nothing or no room.
#include "io.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "operation.h"
#include "scheduler.h"

namespace {

using st::Netfd;
using st::netfd_is_tcp;
using st::netfd_wait;
using st::netfd_wait_inline;
using st::netfd_wrap;
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

// Repeats an operation until it succeeds or fails for good, waiting when it would block.
ssize_t transfer(Netfd* fd, const Operation& operation, st_utime_t timeout) {
  const short what = operation.needs();
  for (;;) {
    if (worth_trying(fd, operation)) {
      const ssize_t done = scheduler.events.perform(operation, timeout);
      if (done >= 0) return done;
      if (errno == EINTR && !scheduler.events.completes()) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return -1;
      fd->watch->ready = static_cast<uint8_t>(fd->watch->ready & ~what);
    }
    if (!netfd_wait(fd, what, timeout)) return -1;
    // Also where the report does not say so (a mechanism may report more than it knows): try.
    fd->watch->ready = static_cast<uint8_t>(fd->watch->ready | what);
  }
}

// A TCP socket that gave or took less than it could have is empty or full now.
void note_short(Netfd* fd, short what) {
  if (!fd->watch->ended && (fd->watch->tcp == Tcp::yes || netfd_is_tcp(fd)))
    fd->watch->ready = static_cast<uint8_t>(fd->watch->ready & ~what);
}

[[gnu::noinline]] ssize_t read_some(Netfd* fd, void* buf, size_t size, st_utime_t timeout) {
  const Kind kind = fd->watch->tcp == Tcp::yes ? Kind::recv : Kind::read;
  const ssize_t got = transfer(fd, {kind, fd->fd, buf, size}, timeout);
  if (got > 0 && static_cast<size_t>(got) < size) note_short(fd, POLLIN);
  return got;
}

ssize_t write_some(Netfd* fd, const void* buf, size_t size, st_utime_t timeout) {
  const Kind kind = fd->watch->tcp == Tcp::yes ? Kind::send : Kind::write;
  const ssize_t put = transfer(fd, {kind, fd->fd, const_cast<void*>(buf), size}, timeout);
  if (put >= 0 && static_cast<size_t>(put) < size) note_short(fd, POLLOUT);
  return put;
}

size_t total(const iovec* iov, int count) {
  size_t bytes = 0;
  for (int i = 0; i < count; ++i) bytes += iov[i].iov_len;
  return bytes;
}

// The kernel takes at most this many pieces in one call.
int pieces(int count) { return count < IOV_MAX ? count : IOV_MAX; }

ssize_t readv_some(Netfd* fd, const iovec* iov, int count, st_utime_t timeout) {
  const ssize_t got = transfer(
      fd, {Kind::readv, fd->fd, const_cast<iovec*>(iov), static_cast<size_t>(count)}, timeout);
  if (got > 0 && static_cast<size_t>(got) < total(iov, count)) note_short(fd, POLLIN);
  return got;
}

ssize_t writev_some(Netfd* fd, const iovec* iov, int count, st_utime_t timeout) {
  const ssize_t put = transfer(
      fd, {Kind::writev, fd->fd, const_cast<iovec*>(iov), static_cast<size_t>(count)}, timeout);
  if (put >= 0 && static_cast<size_t>(put) < total(iov, count)) note_short(fd, POLLOUT);
  return put;
}

// Takes what has been transferred out of a vector, and empty pieces with it.
void advance(iovec** iov, int* count, size_t bytes) {
  while (*count > 0 && bytes >= (*iov)->iov_len) {
    bytes -= (*iov)->iov_len;
    (*iov)->iov_base = static_cast<char*>((*iov)->iov_base) + (*iov)->iov_len;
    (*iov)->iov_len = 0;
    ++*iov;
    --*count;
  }
  if (bytes > 0) {
    (*iov)->iov_base = static_cast<char*>((*iov)->iov_base) + bytes;
    (*iov)->iov_len -= bytes;
  }
}

}  // namespace

st_netfd_t st_accept(st_netfd_t fd, struct sockaddr* addr, int* addrlen, st_utime_t timeout) {
  Operation accept{Kind::accept, fd->fd, addr, 0};
  accept.size_out = addrlen;
  const ssize_t accepted = transfer(fd, accept, timeout);
  if (accepted < 0) return nullptr;
  const int osfd = static_cast<int>(accepted);
  st_netfd_t netfd = netfd_wrap(osfd, netfd_is_tcp(fd) ? Tcp::yes : Tcp::no);
  if (!netfd) {
    const int error = errno;
    close(osfd);
    errno = error;
  }
  return netfd;
}

int st_connect(st_netfd_t fd, const struct sockaddr* addr, int addrlen, st_utime_t timeout) {
  bool interrupted = false;
  while (connect(fd->fd, addr, static_cast<socklen_t>(addrlen)) != 0) {
    if (errno == EINTR) {
      interrupted = true;
      continue;
    }
    // A connect that a signal interrupted goes on in the kernel; asking again then finds it under
    // way.
    const bool under_way =
        errno == EINPROGRESS || (interrupted && (errno == EALREADY || errno == EADDRINUSE));
    if (interrupted && errno == EISCONN) break;
    if (!under_way) return -1;
    if (!netfd_wait(fd, POLLOUT, timeout)) return -1;
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(fd->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return -1;
    if (error) {
      errno = error;
      return -1;
    }
    break;
  }
  return 0;
}

ssize_t st_read(st_netfd_t fd, void* buf, size_t nbyte, st_utime_t timeout) {
  // Nearly always a socket was found empty by the read before, and something has come when the wait
  // ends. One frame, and a small one: with thousands of waiting threads each line of it comes from
  // memory again.
  if (nbyte == 0 || scheduler.events.completes()) return read_some(fd, buf, nbyte, timeout);
  if (!(fd->watch->ready & POLLIN) && !scheduler.interrupt_pending()) {
    if (!netfd_wait_inline(fd, POLLIN, timeout)) return -1;
    fd->watch->ready |= POLLIN;
  }
  const Kind kind = fd->watch->tcp == Tcp::yes ? Kind::recv : Kind::read;
  const ssize_t got = Operation{kind, fd->fd, buf, nbyte}.execute();
  if (got < 0) {
    if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) return -1;
    return read_some(fd, buf, nbyte, timeout);
  }
  if (got > 0 && static_cast<size_t>(got) < nbyte) note_short(fd, POLLIN);
  return got;
}

ssize_t st_readv(st_netfd_t fd, const struct iovec* iov, int iov_size, st_utime_t timeout) {
  return readv_some(fd, iov, iov_size, timeout);
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
  advance(iov, iov_size, 0);
  while (*iov_size > 0) {
    const ssize_t got = readv_some(fd, *iov, pieces(*iov_size), timeout);
    if (got <= 0) return static_cast<int>(got);
    advance(iov, iov_size, static_cast<size_t>(got));
  }
  return 0;
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
  const auto* from = static_cast<const char*>(buf);
  // Nearly always everything goes at once, with hardly a frame on the stack.
  if ((fd->watch->ready & POLLOUT) && !scheduler.events.completes()) {
    const Kind kind = fd->watch->tcp == Tcp::yes ? Kind::send : Kind::write;
    const ssize_t put = Operation{kind, fd->fd, const_cast<char*>(from), nbyte}.execute();
    if (put >= 0 && static_cast<size_t>(put) == nbyte) return put;
    // A socket tells its error once.
    if (put < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) return -1;
    if (put > 0) {
      note_short(fd, POLLOUT);
      from += put;
      resid -= static_cast<size_t>(put);
    }
  }
  return st_write_resid(fd, from, &resid, timeout) == 0 ? static_cast<ssize_t>(nbyte) : -1;
}

int st_writev_resid(st_netfd_t fd, struct iovec** iov, int* iov_size, st_utime_t timeout) {
  advance(iov, iov_size, 0);
  while (*iov_size > 0) {
    const ssize_t put = writev_some(fd, *iov, pieces(*iov_size), timeout);
    if (put < 0) return -1;
    advance(iov, iov_size, static_cast<size_t>(put));
  }
  return 0;
}

ssize_t st_writev(st_netfd_t fd, const struct iovec* iov, int iov_size, st_utime_t timeout) {
  const size_t bytes = total(iov, iov_size);
  if (bytes == 0) return 0;
  // Nearly always everything goes at once, and the caller's vector may be used as it is.
  const ssize_t put = writev_some(fd, iov, pieces(iov_size), timeout);
  if (put < 0 || static_cast<size_t>(put) == bytes) return put;

  constexpr int kOnStack = 16;
  iovec on_stack[kOnStack];
  const size_t count = static_cast<size_t>(iov_size);
  iovec* copy =
      iov_size <= kOnStack ? on_stack : static_cast<iovec*>(malloc(count * sizeof(iovec)));
  if (!copy) return -1;
  memcpy(copy, iov, count * sizeof(iovec));
  iovec* rest = copy;
  int rest_size = iov_size;
  advance(&rest, &rest_size, static_cast<size_t>(put));
  const int result = st_writev_resid(fd, &rest, &rest_size, timeout);
  if (copy != on_stack) free(copy);
  return result == 0 ? static_cast<ssize_t>(bytes) : -1;
}

int st_recvfrom(st_netfd_t fd, void* buf, int len, struct sockaddr* from, int* fromlen,
                st_utime_t timeout) {
  iovec piece = {buf, static_cast<size_t>(len)};
  msghdr message{};
  message.msg_name = from;
  message.msg_namelen = from && fromlen ? static_cast<socklen_t>(*fromlen) : 0;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  const int got = st_recvmsg(fd, &message, 0, timeout);
  if (got >= 0 && from && fromlen) *fromlen = static_cast<int>(message.msg_namelen);
  return got;
}

int st_sendto(st_netfd_t fd, const void* msg, int len, const struct sockaddr* to, int tolen,
              st_utime_t timeout) {
  iovec piece = {const_cast<void*>(msg), static_cast<size_t>(len)};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(to);
  message.msg_namelen = to ? static_cast<socklen_t>(tolen) : 0;
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  return st_sendmsg(fd, &message, 0, timeout);
}

int st_recvmsg(st_netfd_t fd, struct msghdr* msg, int flags, st_utime_t timeout) {
  return static_cast<int>(transfer(fd, {Kind::recvmsg, fd->fd, msg, 0, flags}, timeout));
}

int st_sendmsg(st_netfd_t fd, const struct msghdr* msg, int flags, st_utime_t timeout) {
  return static_cast<int>(
      transfer(fd, {Kind::sendmsg, fd->fd, const_cast<msghdr*>(msg), 0, flags}, timeout));
}
