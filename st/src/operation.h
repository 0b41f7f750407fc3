// Internal: include only inside st/src. A transfer as data, so that the kernel can be asked for it
// in more than one way.
#pragma once

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

namespace st {

struct Operation {
  // `recv` and `send` are what `read` and `write` are on a socket, by a shorter way through the
  // kernel.
  enum class Kind : uint8_t {
    read,
    readv,
    write,
    writev,
    recv,
    send,
    accept,
    recvmsg,
    sendmsg
  } kind;
  int fd;
  void* data;               // bytes, iovecs, msghdr, or for accept the address
  size_t size;              // of bytes or iovecs
  int flags = 0;            // of receive and send
  int* size_out = nullptr;  // of accept: length of the address, in and out

  // What must be possible for it to succeed: POLLIN, POLLOUT, or POLLPRI out of band.
  short needs() const;

  // Whether it can succeed although the descriptor is empty or full: nothing is asked for, or
  // something out of band.
  bool apart_from_the_stream() const;

  // Carries it out with one system call: the result, or -1 with errno.
  ssize_t execute() const;
};

// Inline, because the kind is known where an operation is made.

inline short Operation::needs() const {
  if (kind == Kind::recvmsg && (flags & (MSG_OOB | MSG_ERRQUEUE))) return POLLPRI;
  const bool writes =
      kind == Kind::write || kind == Kind::writev || kind == Kind::send || kind == Kind::sendmsg;
  return writes ? POLLOUT : POLLIN;
}

[[gnu::always_inline]] inline ssize_t Operation::execute() const {
  switch (kind) {
    case Kind::read:
      return ::read(fd, data, size);
    case Kind::readv:
      return ::readv(fd, static_cast<const iovec*>(data), static_cast<int>(size));
    case Kind::write:
      return ::write(fd, data, size);
    case Kind::writev:
      return ::writev(fd, static_cast<const iovec*>(data), static_cast<int>(size));
    case Kind::recv:
      return ::recv(fd, data, size, 0);
    case Kind::send:
      return ::send(fd, data, size, MSG_NOSIGNAL);
    case Kind::accept:
      return accept4(fd, static_cast<sockaddr*>(data), reinterpret_cast<socklen_t*>(size_out),
                     SOCK_NONBLOCK);
    case Kind::recvmsg:
      return ::recvmsg(fd, static_cast<msghdr*>(data), flags);
    case Kind::sendmsg:
      return ::sendmsg(fd, static_cast<const msghdr*>(data), flags);
  }
  __builtin_unreachable();
}

}  // namespace st
