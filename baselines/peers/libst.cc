// State Threads 1.9 as Debian ships it: every connection has a state thread while it is served.
//
// LIBST_HEADER is the full path of its st.h, and it is linked by full path, too: this project's own
// library has the same names and must not be taken for it.
#include LIBST_HEADER

#include <sys/select.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <string>

#include "baselines/common/log.h"
#include "baselines/peers/user_threads.h"

static_assert(ST_VERSION_MAJOR == 1 && ST_VERSION_MINOR == 9);

namespace baselines {
namespace {

class Libst {
 public:
  Libst(Server& server, const Fd& listener)
      : signals_(server.signals),
        waited_{{{server.signals.fd(), POLLIN, 0}, {listener.get(), POLLIN, 0}}} {
    const std::string& event = server.options.event;
    // Before the limit: the library must not learn the descriptors that poll() could have.
    if (event == "select") limit_descriptors(FD_SETSIZE);
    if (st_set_eventsys(event == "select" ? ST_EVENTSYS_SELECT : ST_EVENTSYS_POLL) != 0 ||
        st_init() != 0) {
      throw std::runtime_error("--event " + event + ": libst cannot begin: " +
                               describe_errno(errno) + "; try another --event");
    }
  }

  bool wait(Door::Kind why) {
    if (why == Door::Kind::again) {
      st_usleep(0);  // 1.9 has no other way to yield
      return false;
    }
    const bool paused = why == Door::Kind::pause;
    st_poll(waited_.data(), paused ? 1 : 2,
            paused ? static_cast<st_utime_t>(std::chrono::microseconds(Door::kPause).count())
                   : ST_UTIME_NO_TIMEOUT);
    return waited_[0].revents != 0 && signals_.take().stop;
  }

  int start(void* (*function)(void*), void* argument) {
    return st_thread_create(function, argument, 0, kServeStackBytes) != nullptr ? 0 : errno;
  }

  class Stream;
  class Gate;

 private:
  Signals& signals_;
  std::array<pollfd, 2> waited_;
};

class Libst::Stream {
 public:
  Stream() = default;
  explicit Stream(Fd fd) { wrap(std::move(fd)); }

  Transfer::End connect(const Origin& origin, Clock::time_point deadline) {
    if (!wrap(origin.open_socket(SOCK_NONBLOCK))) return Transfer::End::broken;
    if (st_connect(socket_.get(), origin.address(), static_cast<int>(origin.address_size()),
                   until(deadline)) == 0) {
      return Transfer::End::done;
    }
    if (errno == ETIME) return Transfer::End::timed_out;
    origin.cannot_connect(errno);
    return Transfer::End::broken;
  }

  Transfer read(std::span<char> buffer, Clock::time_point deadline) {
    if (socket_ == nullptr) return {Transfer::End::broken};  // there was no memory
    const ssize_t bytes = st_read(socket_.get(), buffer.data(), buffer.size(), until(deadline));
    if (bytes > 0) return {Transfer::End::done, static_cast<std::size_t>(bytes)};
    if (bytes == 0) return {Transfer::End::over};
    return {errno == ETIME ? Transfer::End::timed_out : Transfer::End::broken};
  }

  Transfer write(std::span<const iovec> pieces, Clock::time_point deadline) {
    const st_utime_t timeout = until(deadline);
    const ssize_t bytes =
        pieces.size() == 1
            ? st_write(socket_.get(), pieces[0].iov_base, pieces[0].iov_len, timeout)
            : st_writev(socket_.get(), pieces.data(), static_cast<int>(pieces.size()), timeout);
    if (bytes >= 0) return {Transfer::End::done, static_cast<std::size_t>(bytes)};
    return {Transfer::End::broken};  // how much went before is not known, so nothing can follow
  }

  void shut_down() { shutdown(st_netfd_fileno(socket_.get()), SHUT_WR); }

 private:
  struct Close {
    void operator()(st_netfd_t socket) const noexcept { st_netfd_close(socket); }
  };

  bool wrap(Fd fd) {
    if (fd) socket_.reset(st_netfd_open_socket(fd.get()));
    if (socket_ != nullptr) fd.release();  // the wrapper's now
    return socket_ != nullptr;
  }

  // libst takes what is left; a tick of the coarse clock at least.
  static st_utime_t until(Clock::time_point deadline) {
    const auto left =
        std::max<Clock::duration>(deadline - Clock::now(), std::chrono::milliseconds(4));
    return static_cast<st_utime_t>(std::chrono::ceil<std::chrono::microseconds>(left).count());
  }

  std::unique_ptr<_st_netfd, Close> socket_;
};

class Libst::Gate {
 public:
  void open() { st_cond_signal(condition_); }
  void wait() { st_cond_wait(condition_); }

 private:
  st_cond_t condition_ = st_cond_new();
};

}  // namespace
}  // namespace baselines

int main(int argc, char** argv) {
  using namespace baselines;
  static constexpr std::array models = {
      Model{"process",
            "--cpus identical processes [1], each a scheduler with a state thread for each "
            "connection",
            serve_user_threads<Libst>},
  };
  static constexpr std::array events = {"poll", "select"};
  return run_program(argc, argv,
                     {"HTTP server on State Threads 1.9 as Debian ships it: every connection has a "
                      "state thread while it is served.",
                      models, events});
}
