// epoll: a socket enters it once, edge-triggered for both directions, and leaves it by being
// closed. A request costs a read, a write and a share of epoll_wait().
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>

#include "baselines/common/log.h"
#include "baselines/edsm/session.h"

namespace baselines {

class Epoll {
 public:
  static constexpr const char* kLimit = "";  // none of its own
  static bool can_watch(int) { return true; }

  void watch(int fd) { control(EPOLL_CTL_ADD, fd, EPOLLIN); }
  void unwatch(int fd) { control(EPOLL_CTL_DEL, fd, 0); }
  void add(int fd) { control(EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET); }
  void await(int, Want) {}
  void forget(int) {}

  void wait(int sleep_ms) { count_ = epoll_wait(epoll_.get(), events_.data(), kEvents, sleep_ms); }

  template <class Handle>
  void for_each_ready(Handle handle) {
    constexpr std::uint32_t kEnd = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    for (int i = 0; i < count_; ++i) {
      const epoll_event& event = events_[static_cast<std::size_t>(i)];
      handle(event.data.fd, Ready{.readable = (event.events & (EPOLLIN | kEnd)) != 0,
                                  .writable = (event.events & (EPOLLOUT | kEnd)) != 0,
                                  .hung_up = (event.events & kEnd) != 0});
    }
  }

 private:
  // Events fetched in one go: enough to make the cost of the call invisible.
  static constexpr int kEvents = 256;

  void control(int operation, int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (epoll_ctl(epoll_.get(), operation, fd, &event) != 0) {
      throw std::runtime_error("epoll_ctl for descriptor " + std::to_string(fd) + ": " +
                               describe_errno(errno) +
                               "; fs.epoll.max_user_watches or memory may be exhausted");
    }
  }

  Fd epoll_{epoll_create1(EPOLL_CLOEXEC)};
  int count_ = 0;
  std::array<epoll_event, kEvents> events_;
};

}  // namespace baselines
