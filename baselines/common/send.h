// Writing pieces of output to a socket: one system call, whatever their number.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <span>

namespace baselines {

// As send(2): the number of bytes taken, or -1 and errno. `pieces` is not empty.
inline ssize_t send_pieces(int socket, std::span<const iovec> pieces) {
  // Most answers are one piece, and send() is spared the copying of the vector into the kernel.
  if (pieces.size() == 1) {
    return send(socket, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg() only reads it
  message.msg_iovlen = pieces.size();
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

}  // namespace baselines
