// Internal: include only inside st/src. How calls fail.
#pragma once

#include <errno.h>

namespace st {

// What a call returns that has failed with `error`.
inline int fail(int error) {
  errno = error;
  return -1;
}

// Keeps errno as it is while something is tidied up.
class ErrnoKept {
 public:
  ~ErrnoKept() { errno = error_; }

 private:
  const int error_ = errno;
};

}  // namespace st
