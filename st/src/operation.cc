#include "operation.h"

namespace st {

bool Operation::apart_from_the_stream() const {
  switch (kind) {
    case Kind::read:
    case Kind::write:
    case Kind::recv:
    case Kind::send:
      return size == 0;
    case Kind::readv:
    case Kind::writev: {
      const auto* iov = static_cast<const iovec*>(data);
      for (size_t i = 0; i < size; ++i)
        if (iov[i].iov_len > 0) return false;
      return true;
    }
    case Kind::recvmsg:
      return flags & (MSG_OOB | MSG_ERRQUEUE);
    default:
      return false;
  }
}

}  // namespace st
