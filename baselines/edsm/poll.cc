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

  void add(int fd) { await(fd, Want::input); }

  void await(int fd, Want want) {
    const auto place = static_cast<std::size_t>(fd);
    if (place >= polled_.size()) polled_.resize(place + 1, kHole);
    // Who waits for neither must leave the list: an end or an error would be told for ever.
    if (want == Want::job) return forget(fd);
    polled_[place].fd = fd;
    polled_[place].events = want == Want::output ? POLLOUT : POLLIN;
  }

  void forget(int fd) {
    const auto place = static_cast<std::size_t>(fd);
    if (place < polled_.size()) polled_[place] = kHole;  // else wait() has cut it off
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
    for (std::size_t i = 0; ready_ > 0 && i < polled_.size(); ++i) {
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
  // A descriptor's place is its own number. Descriptors are dense, and the kernel passes over a
  // hole.
  static constexpr pollfd kHole{.fd = -1, .events = 0, .revents = 0};
  std::vector<pollfd> polled_;
  int ready_ = 0;  // how many of them the last poll() has marked, at most; or -1
};

}  // namespace

void serve_poll(Server& server) { serve_symmetric<Loop<Poll>>(server); }

}  // namespace baselines
