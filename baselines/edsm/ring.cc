#include "baselines/edsm/ring.h"

#include <cerrno>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>

#include "baselines/common/log.h"

namespace baselines {
namespace {

[[noreturn]] void fail(int error) {
  const char* why = error == ENOSYS   ? "this kernel has none"
                    : error == EPERM  ? "kernel.io_uring_disabled, or a filter of the container"
                    : error == EINVAL ? "Linux 6.1 or later is needed"
                                      : "out of descriptors or memory";
  throw std::runtime_error("io_uring: " + describe_errno(error) + ": " + why +
                           "; choose another --model");
}

constexpr std::size_t kPage = 4096;

}  // namespace

Ring::Ring()
    : bytes_(new char[kBuffers * kBufferStride]),
      buffers_(static_cast<io_uring_buf_ring*>(
          std::aligned_alloc(kPage, kBuffers * sizeof(io_uring_buf)))) {
  if (buffers_ == nullptr) throw std::bad_alloc();
  io_uring_params parameters{};
  // One thread uses the ring, and completions are made when it waits for them and not before: the
  // kernel has nothing to lock or to interrupt.
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
  parameters.cq_entries = kCompletions;
  if (const int error = io_uring_queue_init_params(kRequests, &ring_, &parameters)) fail(-error);

  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(buffers_.get());
  registration.ring_entries = kBuffers;
  registration.bgid = kBufferGroup;
  if (const int error = io_uring_register_buf_ring(&ring_, &registration, 0)) {
    io_uring_queue_exit(&ring_);
    fail(-error);
  }
  io_uring_buf_ring_init(buffers_.get());
  for (unsigned number = 0; number < kBuffers; ++number) offer(number);
}

Ring::~Ring() { io_uring_queue_exit(&ring_); }

io_uring_sqe* Ring::next() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  while (sqe == nullptr) {
    const int submitted = io_uring_submit(&ring_);
    if (submitted < 0 && submitted != -EINTR && submitted != -EAGAIN && submitted != -EBUSY) {
      fail(-submitted);
    }
    sqe = io_uring_get_sqe(&ring_);
  }
  return sqe;
}

void Ring::cancel(std::uint64_t tag) {
  io_uring_sqe* sqe = next();
  io_uring_prep_cancel64(sqe, tag, 0);
  io_uring_sqe_set_data64(sqe, 0);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

void Ring::wait(unsigned count, std::chrono::microseconds longest) {
  const auto microseconds = longest.count();
  __kernel_timespec time{.tv_sec = microseconds / 1'000'000,
                         .tv_nsec = microseconds % 1'000'000 * 1'000};
  io_uring_cqe* first = nullptr;
  const int error = io_uring_submit_and_wait_timeout(&ring_, &first, count, &time, nullptr);
  if (error < 0 && error != -ETIME && error != -EINTR && error != -EAGAIN && error != -EBUSY) {
    fail(-error);
  }
}

void Ring::offer(unsigned number) {
  io_uring_buf_ring_add(buffers_.get(), buffer(number), kBufferBytes,
                        static_cast<unsigned short>(number), io_uring_buf_ring_mask(kBuffers), 0);
  io_uring_buf_ring_advance(buffers_.get(), 1);
}

}  // namespace baselines
