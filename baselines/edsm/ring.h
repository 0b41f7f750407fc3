// io_uring: a queue of requests to the kernel, one of its completions, and buffers it receives
// into.
#pragma once

#include <liburing.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

namespace baselines {

// For one thread, that which makes it.
class Ring {
 public:
  // What one turn of the loop may receive. Each is taken in its turn, so all of them go through the
  // CPU's cache: small ones, and few. A receive that finds none ends with ENOBUFS.
  static constexpr unsigned kBuffers = 1024;

  // Throws std::runtime_error when the kernel has no io_uring, or one before Linux 6.1.
  Ring();
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Room for a request, to be filled by one of the io_uring_prep_ calls. It goes to the kernel with
  // the next wait(), and must be complete before the next next().
  io_uring_sqe* next();

  // A header for a message that is sent or received by `sqe`; the kernel has read it when wait()
  // returns.
  msghdr& message_of(const io_uring_sqe* sqe) { return messages_[sqe - ring_.sq.sqes]; }

  // Asks for the end of a request that was given `tag`; it completes as cancelled, or as it would
  // have anyway. Completions of this itself, which are rare, have the tag 0.
  void cancel(std::uint64_t tag);

  // Hands over the requests and returns when `count` operations have completed, or after `longest`.
  // One system call.
  void wait(unsigned count, std::chrono::microseconds longest);

  template <class Handle>
  void for_each_completion(Handle handle) {
    unsigned head;
    unsigned count = 0;
    const io_uring_cqe* completion;
    io_uring_for_each_cqe(&ring_, head, completion) {
      ++count;
      handle(*completion);
    }
    io_uring_cq_advance(&ring_, count);
  }

  // Makes a receive take one of our buffers when something has come.
  static void select_buffer(io_uring_sqe* sqe) {
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = kBufferGroup;
  }

  // What came into the buffer that a receive has taken; `give_back` it in any case.
  std::span<const char> received(const io_uring_cqe& completion) const {
    return {buffer(number_of(completion)), static_cast<std::size_t>(completion.res)};
  }
  void give_back(const io_uring_cqe& completion) {
    if ((completion.flags & IORING_CQE_F_BUFFER) != 0) offer(number_of(completion));
  }

 private:
  // More requests than these before a wait() are handed over early.
  static constexpr unsigned kRequests = 256;
  // The kernel keeps more itself if it has to, but ends receives that stay armed.
  static constexpr unsigned kCompletions = 2048;

  static constexpr std::size_t kBufferBytes = 1024;
  // Buffers do not begin at the same place of a page, or they would all fall into the same few sets
  // of the cache.
  static constexpr std::size_t kBufferStride = kBufferBytes + 64;
  static constexpr int kBufferGroup = 0;

  static unsigned number_of(const io_uring_cqe& completion) {
    return completion.flags >> IORING_CQE_BUFFER_SHIFT;
  }
  char* buffer(unsigned number) const { return bytes_.get() + number * kBufferStride; }
  void offer(unsigned number);

  struct Free {
    void operator()(void* memory) const noexcept { std::free(memory); }
  };

  io_uring ring_;
  std::array<msghdr, kRequests> messages_;
  std::unique_ptr<char[]> bytes_;
  std::unique_ptr<io_uring_buf_ring, Free> buffers_;  // on a page of its own
};

}  // namespace baselines
