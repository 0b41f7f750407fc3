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
  // kernel. In this order: `recv` to `send` are of a stream of bytes, from `write` on it goes out.
  enum class Kind : uint8_t { accept, recvmsg, recv, read, readv, write, writev, send, sendmsg };

  Kind kind;
  int fd;
  void* data;               // bytes, iovecs, msghdr, or for accept the address
  size_t size;              // of bytes or iovecs; else 0
  int flags = 0;            // of messages, and for the descriptor that is accepted
  int* size_out = nullptr;  // of accept: length of the address, in and out

  bool writes() const { return kind >= Kind::write; }

  // What must be possible for it to succeed: POLLIN, POLLOUT, or POLLPRI out of band.
  short needs() const {
    if (kind == Kind::recvmsg && (flags & (MSG_OOB | MSG_ERRQUEUE))) return POLLPRI;
    return writes() ? POLLOUT : POLLIN;
  }

  // How many bytes of a stream it asks for; 0 for what is no stream.
  size_t bytes() const {
    if (kind != Kind::readv && kind != Kind::writev) return size;
    size_t sum = 0;
    for (size_t i = 0; i < size; ++i) sum += static_cast<const iovec*>(data)[i].iov_len;
    return sum;
  }

  // Whether it can succeed although the descriptor is empty or full: nothing is asked for, or
  // something out of band.
  bool apart_from_the_stream() const {
    if (kind >= Kind::recv && kind <= Kind::send) return bytes() == 0;
    return needs() == POLLPRI;
  }

  // Carries it out with one system call: the result, or -1 with errno. Inline, because the kind is
  // known where an operation is made.
  [[gnu::always_inline]] ssize_t execute() const {
    switch (kind) {
      case Kind::accept:
        return accept4(fd, static_cast<sockaddr*>(data), reinterpret_cast<socklen_t*>(size_out),
                       flags);
      case Kind::recvmsg:
        return ::recvmsg(fd, static_cast<msghdr*>(data), flags);
      case Kind::recv:
        return ::recv(fd, data, size, 0);
      case Kind::read:
        return ::read(fd, data, size);
      case Kind::readv:
        return ::readv(fd, static_cast<const iovec*>(data), static_cast<int>(size));
      case Kind::write:
        return ::write(fd, data, size);
      case Kind::writev:
        return ::writev(fd, static_cast<const iovec*>(data), static_cast<int>(size));
      case Kind::send:
        return ::send(fd, data, size, MSG_NOSIGNAL);
      case Kind::sendmsg:
        return ::sendmsg(fd, static_cast<const msghdr*>(data), flags);
    }
    __builtin_unreachable();
  }
};

}  // namespace st
