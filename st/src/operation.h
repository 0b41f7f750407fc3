// Internal: include only inside st/src. A transfer as data, so that the kernel can be asked for it
// in more than one way.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

namespace st {

struct Operation {
  enum class Kind : uint8_t { read, readv, write, writev, accept, receive, send } kind;
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

}  // namespace st
