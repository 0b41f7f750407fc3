// GNU Pth 2: every connection has a Pth thread while it is served.
#include <malloc.h>
#include <pth.h>
#include <sys/eventfd.h>
#include <sys/select.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <stdexcept>

#include "baselines/common/log.h"
#include "baselines/common/send.h"
#include "baselines/common/timeval.h"
#include "baselines/peers/user_threads.h"

namespace baselines {
namespace {

// Written to when a stop signal has come. Pth has signals act while all threads wait, whatever is
// blocked, so here they cannot be read from a descriptor as elsewhere.
int stop_event = -1;

void request_stop(int) { eventfd_write(stop_event, 1); }

// While all threads wait, Pth blocks the signals that each of them blocks, and reads which those
// are from memory that it never sets (version 2.0.7 where it switches with swapcontext()). The
// first thread is allocated here and waits whenever the others do; with its memory zeroed none is
// blocked. Otherwise a leftover of the heap could keep SIGTERM from an idle server.
bool begin_with_no_signal_blocked() {
  mallopt(M_PERTURB, 0xff);  // malloc() fills with the complement
  const bool begun = pth_init() != 0;
  mallopt(M_PERTURB, 0);
  return begun;
}

class Pth {
 public:
  Pth(Server& server, const Fd& listener)
      : stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        waited_{{{stop_.get(), POLLIN, 0}, {listener.get(), POLLIN, 0}}} {
    limit_descriptors(FD_SETSIZE);
    if (!stop_ || !begin_with_no_signal_blocked()) {
      throw std::runtime_error("GNU Pth cannot begin: " + describe_errno(errno) +
                               "; raise 'ulimit -n'");
    }
    stop_event = stop_.get();
    std::signal(SIGTERM, request_stop);
    std::signal(SIGINT, request_stop);
    server.signals.let_act();
    attributes_ = pth_attr_new();
    pth_attr_set(attributes_, PTH_ATTR_JOINABLE, FALSE);
    pth_attr_set(attributes_, PTH_ATTR_STACK_SIZE, static_cast<unsigned int>(kServeStackBytes));
  }
  ~Pth() { pth_attr_destroy(attributes_); }
  Pth(const Pth&) = delete;
  Pth& operator=(const Pth&) = delete;

  bool wait(Door::Kind why) {
    if (why == Door::Kind::again) {
      pth_yield(nullptr);
      return false;
    }
    const bool paused = why == Door::Kind::pause;
    pth_poll(waited_.data(), paused ? 1 : 2, paused ? static_cast<int>(Door::kPause.count()) : -1);
    return waited_[0].revents != 0;
  }

  int start(void* (*function)(void*), void* argument) {
    return pth_spawn(attributes_, function, argument) != nullptr ? 0 : errno;
  }

  class Stream;
  class Gate;

 private:
  Fd stop_;
  std::array<pollfd, 2> waited_;
  pth_attr_t attributes_;
};

// On a non-blocking socket. pth_recv() would do the same on a blocking one, at the price of a
// fcntl() and a select() of its own in each call.
class Pth::Stream {
 public:
  Stream() = default;
  explicit Stream(Fd fd) { own(std::move(fd)); }

  Transfer::End connect(const Origin& origin, Clock::time_point deadline) {
    own(origin.open_socket(SOCK_NONBLOCK));
    if (!fd_) return Transfer::End::broken;
    if (::connect(fd_.get(), origin.address(), origin.address_size()) == 0) {
      return Transfer::End::done;
    }
    if (errno != EINPROGRESS) {
      origin.cannot_connect(errno);
      return Transfer::End::broken;
    }
    return wait(writable_, deadline) ? Transfer::End::done  // or the first write says why not
                                     : Transfer::End::timed_out;
  }

  Transfer read(std::span<char> buffer, Clock::time_point deadline) {
    for (;;) {
      const ssize_t bytes = recv(fd_.get(), buffer.data(), buffer.size(), 0);
      if (bytes > 0) return {Transfer::End::done, static_cast<std::size_t>(bytes)};
      if (bytes == 0) return {Transfer::End::over};
      if (errno != EAGAIN) return {Transfer::End::broken};
      if (!wait(readable_, deadline)) return {Transfer::End::timed_out};
    }
  }

  Transfer write(std::span<const iovec> pieces, Clock::time_point deadline) {
    for (;;) {
      const ssize_t bytes = send_pieces(fd_.get(), pieces);
      if (bytes >= 0) return {Transfer::End::done, static_cast<std::size_t>(bytes)};
      if (errno != EAGAIN) return {Transfer::End::broken};
      if (!wait(writable_, deadline)) return {Transfer::End::timed_out};
    }
  }

  void shut_down() { shutdown(fd_.get(), SHUT_WR); }

 private:
  struct Free {
    void operator()(pth_event_t event) const noexcept { pth_event_free(event, PTH_FREE_THIS); }
  };
  using Event = std::unique_ptr<pth_event_st, Free>;

  void own(Fd fd) {
    fd_ = std::move(fd);
    if (!fd_) return;
    readable_.reset(pth_event(PTH_EVENT_FD | PTH_UNTIL_FD_READABLE, fd_.get()));
    writable_.reset(pth_event(PTH_EVENT_FD | PTH_UNTIL_FD_WRITEABLE, fd_.get()));
    late_.reset(pth_event(PTH_EVENT_TIME, pth_time_t{}));
  }

  // False: the deadline has passed, or there was no memory for the events.
  bool wait(const Event& ready, Clock::time_point deadline) {
    if (ready == nullptr || late_ == nullptr) return false;
    // A tick of the coarse clock at least.
    const timeval left = to_timeval(
        std::max<Clock::duration>(deadline - Clock::now(), std::chrono::milliseconds(4)));
    pth_event(PTH_EVENT_TIME | PTH_MODE_REUSE, late_.get(), pth_timeout(left.tv_sec, left.tv_usec));
    pth_event_concat(ready.get(), late_.get(), nullptr);
    pth_wait(ready.get());
    pth_event_isolate(ready.get());
    return pth_event_status(ready.get()) == PTH_STATUS_OCCURRED;
  }

  Fd fd_;
  Event readable_;
  Event writable_;
  Event late_;
};

class Pth::Gate {
 public:
  void open() { pth_cond_notify(&condition_, FALSE); }
  void wait() {
    pth_mutex_acquire(&mutex_, FALSE, nullptr);
    pth_cond_await(&condition_, &mutex_, nullptr);
    pth_mutex_release(&mutex_);
  }

 private:
  pth_mutex_t mutex_ = PTH_MUTEX_INIT;  // as pth_cond_await() wants it; guards nothing
  pth_cond_t condition_ = PTH_COND_INIT;
};

}  // namespace
}  // namespace baselines

#ifdef __SANITIZE_ADDRESS__
// The sanitizer's malloc() knows no M_PERTURB, and would fill with what blocks SIGABRT and SIGINT.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "max_malloc_fill_size=0"; }
#endif

int main(int argc, char** argv) {
  using namespace baselines;
  static constexpr std::array models = {
      Model{"process",
            "--cpus identical processes [1], each a scheduler with a Pth thread for each "
            "connection",
            serve_user_threads<Pth>},
  };
  return run_program(
      argc, argv,
      {"HTTP server on GNU Pth: every connection has a Pth thread while it is served.", models});
}
