#include "operation.h"

#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

namespace st {

short Operation::needs() const {
  if (kind == Kind::receive && (flags & (MSG_OOB | MSG_ERRQUEUE))) return POLLPRI;
  return kind == Kind::write || kind == Kind::writev || kind == Kind::send ? POLLOUT : POLLIN;
}

bool Operation::apart_from_the_stream() const {
  switch (kind) {
    case Kind::read:
    case Kind::write:
      return size == 0;
    case Kind::readv:
    case Kind::writev: {
      const auto* iov = static_cast<const iovec*>(data);
      for (size_t i = 0; i < size; ++i)
        if (iov[i].iov_len > 0) return false;
      return true;
    }
    case Kind::receive:
      return flags & (MSG_OOB | MSG_ERRQUEUE);
    default:
      return false;
  }
}

ssize_t Operation::execute() const {
  switch (kind) {
    case Kind::read:
      return ::read(fd, data, size);
    case Kind::readv:
      return ::readv(fd, static_cast<const iovec*>(data), static_cast<int>(size));
    case Kind::write:
      return ::write(fd, data, size);
    case Kind::writev:
      return ::writev(fd, static_cast<const iovec*>(data), static_cast<int>(size));
    case Kind::accept:
      return accept4(fd, static_cast<sockaddr*>(data), reinterpret_cast<socklen_t*>(size_out),
                     SOCK_NONBLOCK);
    case Kind::receive:
      return recvmsg(fd, static_cast<msghdr*>(data), flags);
    case Kind::send:
      return sendmsg(fd, static_cast<const msghdr*>(data), flags);
  }
  __builtin_unreachable();
}

}  // namespace st
