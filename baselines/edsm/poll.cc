// poll(): the kernel is handed the whole list of sockets for each batch of events, and looks at all
// of them. The list is kept from call to call; what costs is the looking, for idle ones, too.
#include <poll.h>

#include <cerrno>
#include <stdexcept>

#include "baselines/common/log.h"
#include "baselines/edsm/loop.h"
#include "baselines/edsm/models.h"
#include "baselines/edsm/symmetric.h"

namespace baselines {
namespace {

class Poll {
 public:
  static constexpr const char* kLimit = "";  // none of its own
  static bool can_watch(int) { return true; }

  void watch(int fd) { add(fd); }
  void unwatch(int fd) { forget(fd); }

  void add(int fd) {
    const auto place = static_cast<std::size_t>(fd);
    if (place >= polled_.size())
      polled_.resize(place + 1, pollfd{.fd = -1, .events = 0, .revents = 0});
    polled_[place] = {.fd = fd, .events = POLLIN, .revents = 0};
  }

  void await(int fd, Want want) { at(fd).events = want == Want::output ? POLLOUT : POLLIN; }

  void forget(int fd) {
    at(fd).fd = -1;
    at(fd).revents = 0;
  }

  void wait(int sleep_ms) {
    while (!polled_.empty() && polled_.back().fd < 0) polled_.pop_back();
    ready_ = poll(polled_.data(), polled_.size(), sleep_ms);
    if (ready_ < 0 && errno != EINTR) {
      throw std::runtime_error("poll() of " + std::to_string(polled_.size()) +
                               " descriptors: " + describe_errno(errno) +
                               "; RLIMIT_NOFILE has been lowered, or memory is exhausted");
    }
  }

  template <class Handle>
  void for_each_ready(Handle handle) {
    for (std::size_t i = 0; ready_ > 0; ++i) {
      const short events = polled_[i].revents;
      if (events == 0) continue;
      --ready_;
      // Not an edge: an end, or an error, will be told again for as long as anybody asks.
      constexpr short kEnd = POLLHUP | POLLERR;
      handle(polled_[i].fd, Ready{.readable = (events & (POLLIN | kEnd)) != 0,
                                  .writable = (events & (POLLOUT | kEnd)) != 0,
                                  .hung_up = false});
    }
  }

 private:
  pollfd& at(int fd) { return polled_[static_cast<std::size_t>(fd)]; }

  // A descriptor's place is its own number. Descriptors are dense, and the kernel passes over a
  // hole, which has a negative one.
  std::vector<pollfd> polled_;
  int ready_ = 0;  // how many of them the last poll() has marked, or -1
};

}  // namespace

void serve_poll(Server& server) { serve_symmetric<Loop<Poll>>(server); }

}  // namespace baselines
