// Internal: include only inside st/src. How calls fail.
#pragma once

#include <errno.h>

namespace st {

// What a call that has failed returns: -1, null or false.
struct Failure {
  operator int() const { return -1; }
  operator bool() const { return false; }
  template <class T>
  operator T*() const {
    return nullptr;
  }
};

inline Failure fail(int error) {
  errno = error;
  return {};
}

// Keeps errno as it is while something is tidied up.
class ErrnoKept {
 public:
  ~ErrnoKept() { errno = error_; }

 private:
  const int error_ = errno;
};

}  // namespace st
