// select(): as poll(), with a bit instead of a structure for each socket - and room for FD_SETSIZE
// of them, 1,024, which is part of every program that was ever compiled against it.
#include <sys/select.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "baselines/edsm/loop.h"
#include "baselines/edsm/models.h"
#include "baselines/edsm/symmetric.h"

namespace baselines {
namespace {

class Select {
 public:
  static constexpr const char* kLimit =
      "select() knows no descriptor from 1024 (FD_SETSIZE) on; choose another --model, or more "
      "--cpus";
  static bool can_watch(int fd) { return fd < FD_SETSIZE; }
  static_assert(FD_SETSIZE == 1024);

  Select() {
    FD_ZERO(&inputs_);
    FD_ZERO(&outputs_);
  }

  void watch(int fd) {
    if (!can_watch(fd)) throw std::runtime_error(kLimit);
    add(fd);
  }
  void unwatch(int fd) { forget(fd); }

  void add(int fd) { await(fd, Want::input); }

  void await(int fd, Want want) {
    if (want == Want::job) return forget(fd);
    FD_CLR(fd, want == Want::output ? &inputs_ : &outputs_);
    FD_SET(fd, want == Want::output ? &outputs_ : &inputs_);
    end_ = std::max(end_, fd + 1);
  }

  void forget(int fd) {
    FD_CLR(fd, &inputs_);
    FD_CLR(fd, &outputs_);
    while (end_ > 0 && !FD_ISSET(end_ - 1, &inputs_) && !FD_ISSET(end_ - 1, &outputs_)) --end_;
  }

  void wait(int sleep_ms) {
    readable_ = inputs_;
    writable_ = outputs_;
    timeval timeout{sleep_ms / 1000, sleep_ms % 1000 * 1000};
    ready_end_ = end_;
    if (select(end_, &readable_, &writable_, nullptr, sleep_ms < 0 ? nullptr : &timeout) <= 0) {
      ready_end_ = 0;
    }
  }

  template <class Handle>
  void for_each_ready(Handle handle) {
    for (int first = 0; first < ready_end_; first += 64) {
      const std::uint64_t readable = word(readable_, first);
      const std::uint64_t writable = word(writable_, first);
      for (std::uint64_t left = readable | writable; left != 0; left &= left - 1) {
        const int bit = std::countr_zero(left);
        handle(first + bit, Ready{.readable = (readable >> bit & 1) != 0,
                                  .writable = (writable >> bit & 1) != 0,
                                  .hung_up = false});
      }
    }
  }

 private:
  // 64 descriptors of a set at once; on Linux a set is an array of longs, the lowest bit first.
  static std::uint64_t word(const fd_set& set, int first) {
    std::uint64_t bits;
    std::memcpy(&bits, reinterpret_cast<const char*>(&set) + first / 8, sizeof(bits));
    return bits;
  }
  static_assert(std::endian::native == std::endian::little && sizeof(fd_set) == FD_SETSIZE / 8);

  fd_set inputs_;  // what is waited for
  fd_set outputs_;
  fd_set readable_;  // what was found
  fd_set writable_;
  int end_ = 0;        // one behind the highest descriptor in the sets
  int ready_end_ = 0;  // the same for what was found
};

}  // namespace

void serve_select(Server& server) { serve_symmetric<Loop<Select>>(server); }

}  // namespace baselines
