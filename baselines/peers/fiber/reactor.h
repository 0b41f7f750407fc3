// Boost.Fiber schedules fibers but knows no descriptors; this is where its threads sleep until one
// is ready: an epoll instance for each kernel thread, waited on when no fiber can run.
#pragma once

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/fiber/condition_variable.hpp>
#include <cerrno>
#include <chrono>
#include <limits>
#include <mutex>
#include <stdexcept>

#include "baselines/common/clock.h"
#include "baselines/common/fd.h"
#include "baselines/common/log.h"

namespace baselines {

// What is known of one descriptor's readiness, and the one fiber that waits for it. `Mutex` is
// std::mutex where the fiber and the reactor may be on two kernel threads, NoMutex where not.
template <class Mutex>
class Readiness {
 public:
  enum Side { input, output };

  // For a new socket: its send buffer is empty, and what has come will be reported.
  void reset() {
    const std::lock_guard lock(mutex_);
    ready_ = {false, true};
    ended_ = false;
  }

  // Until the side is ready; false when the deadline has passed.
  bool wait(Side side, Clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    const auto ready = [this, side] { return ready_[side]; };
    if (deadline == kNever) {
      changed_.wait(lock, ready);
      return true;
    }
    // Both clocks are CLOCK_MONOTONIC; ours is coarse, so a tick later it has passed the deadline.
    return changed_.wait_until(lock,
                               std::chrono::steady_clock::time_point(deadline.time_since_epoch() +
                                                                     std::chrono::milliseconds(4)),
                               ready);
  }

  // Before a call that may empty, or fill, the socket: a report from then on is about what came
  // later. Only an end of input, once seen, is not reported again.
  void forget(Side side) { set(side, side == input && ended_); }

  // After a call that has left something to read, or room to write.
  void remember(Side side) { set(side, true); }

  // The reactor's half, also to wake a fiber for another reason.
  void report(bool readable, bool writable, bool ended) {
    const std::lock_guard lock(mutex_);
    ready_[input] = ready_[input] || readable;
    ready_[output] = ready_[output] || writable;
    ended_ = ended_ || ended;
    changed_.notify_one();
  }

  static constexpr Clock::time_point kNever = Clock::time_point::max();

 private:
  void set(Side side, bool ready) {
    const std::lock_guard lock(mutex_);
    ready_[side] = ready;
  }

  Mutex mutex_;
  boost::fibers::condition_variable_any changed_;
  std::array<bool, 2> ready_ = {false, true};
  bool ended_ = false;
};

struct NoMutex {
  void lock() {}
  void unlock() {}
};

// A scheduling algorithm of Boost.Fiber whose idle thread waits in epoll.
template <class Algorithm, class Mutex>
class Reactor : public Algorithm {
 public:
  using ReadinessOf = Readiness<Mutex>;

  // Boost.Fiber makes and owns the object; `self` is told where it is.
  template <class... Arguments>
  explicit Reactor(Reactor*& self, Arguments... arguments)
      : Algorithm(arguments...),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!add(wake_.get(), EPOLLIN, nullptr)) {
      throw std::runtime_error("epoll for a kernel thread: " + describe_errno(errno) +
                               "; raise 'ulimit -n'");
    }
    self = this;
  }

  // Once for each descriptor, which leaves when it is closed. False and errno: it cannot be.
  // `readiness` may be reported to for a moment after it has left.
  bool watch(int fd, ReadinessOf& readiness) {
    return add(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &readiness);
  }

  // No fiber is ready: waits for descriptors, for `until` (a fiber's deadline) or for notify().
  void suspend_until(const std::chrono::steady_clock::time_point& until) noexcept override {
    std::array<epoll_event, kEvents> events;
    asleep_.store(true);
    const int count = epoll_wait(epoll_.get(), events.data(), kEvents, milliseconds_to(until));
    asleep_.store(false);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.ptr == nullptr) {
        eventfd_t ignored;
        eventfd_read(wake_.get(), &ignored);
        notified_.store(false);
        continue;
      }
      constexpr std::uint32_t kEnd = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
      static_cast<ReadinessOf*>(event.data.ptr)
          ->report((event.events & (EPOLLIN | kEnd)) != 0, (event.events & (EPOLLOUT | kEnd)) != 0,
                   (event.events & kEnd) != 0);
    }
    if (count > 1) surplus();
  }

  // From any thread: ends the present or the next suspend_until(). One write is enough for it.
  void notify() noexcept override {
    if (!notified_.exchange(true)) eventfd_write(wake_.get(), 1);
  }

  bool asleep() const { return asleep_.load(); }

 protected:
  // More than one fiber has become ready at once.
  virtual void surplus() noexcept {}

 private:
  static constexpr int kEvents = 256;

  bool add(int fd, std::uint32_t events, void* data) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = data;
    return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
  }

  static int milliseconds_to(std::chrono::steady_clock::time_point until) {
    if (until == std::chrono::steady_clock::time_point::max()) return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    return static_cast<int>(
        std::clamp<std::int64_t>(left.count(), 0, std::numeric_limits<int>::max()));
  }

  Fd epoll_;
  Fd wake_;
  std::atomic<bool> notified_ = false;
  std::atomic<bool> asleep_ = false;
};

}  // namespace baselines
