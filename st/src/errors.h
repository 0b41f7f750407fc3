// Internal: include only inside st/src. How calls fail.
#pragma once

#include <errno.h>

#include <type_traits>

namespace st {

// What a call that has failed returns: -1, null or false.
struct Failure {
  template <class Result>
  operator Result() const {
    if constexpr (std::is_same_v<Result, bool>)
      return false;
    else if constexpr (std::is_pointer_v<Result>)
      return nullptr;
    else
      return -1;
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
