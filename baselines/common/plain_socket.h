// A stream of bytes as the straight loop wants a socket to be, where the vehicle under it has
// nothing of its own to offer: a step of the handler is a call, and work that blocks blocks.
#pragma once

#include <array>
#include <span>

#include "baselines/common/clock.h"
#include "baselines/common/straight_loop.h"

namespace baselines {

// On the vehicle's own stack and never written before a read, so waiting touches none of it. For
// kernel threads, and for user-level ones that may be read into on one kernel thread and used on
// another.
struct OwnBuffer {
  std::span<char> get() { return bytes; }
  std::array<char, kReadBytes> bytes;
};

// One for all threads of a process: nothing switches between the end of a read and the use of what
// it brought.
struct SharedBuffer {
  static std::span<char> get() {
    static std::array<char, kReadBytes> bytes;
    return bytes;
  }
};

// `Stream` is a client's connection: read(), write() and shut_down() as in straight_loop.h.
template <class Stream, class Buffer = OwnBuffer, class UpstreamStream = Stream>
class PlainSocket : public Stream {
 public:
  using Stream::Stream;
  using Upstream = UpstreamStream;

  std::span<char> buffer() { return buffer_.get(); }
  std::span<char> roomy_buffer() { return buffer(); }
  static Clock::time_point now() { return Clock::now(); }
  template <class Work>
  static void step(Work work) {
    work();
  }
  template <class Work>
  void block(Work work) {
    work();
  }

 private:
  [[no_unique_address]] Buffer buffer_;
};

}  // namespace baselines
