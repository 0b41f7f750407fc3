#include "baselines/st/scheduler.h"

#include <poll.h>
#include <st.h>
#include <sys/socket.h>

#include <cerrno>
#include <list>
#include <stdexcept>

#include "baselines/common/door.h"
#include "baselines/common/log.h"
#include "baselines/st/state_socket.h"

namespace baselines {
namespace {

// Connections accepted in a row before the threads that serve them, and the one that stops, run.
constexpr int kBatch = 64;

[[noreturn]] void fail(const char* what) {
  throw std::runtime_error(std::string(what) + ": " + describe_errno(errno) +
                           "; raise 'ulimit -n', or choose another --event");
}

// The state threads that serve now, and the one that accepts: nothing here is locked, because
// nothing switches in between.
class Scheduler {
 public:
  Scheduler(Server& server, const Fd& listener, CounterSlot& slot,
            const std::function<void()>& wait_for_stop)
      : server_(server),
        slot_(slot),
        door_(listener, Door::Sockets::nonblocking, server.options, slot),
        accepting_(st_thread_self()),
        all_gone_(st_cond_new()),
        listener_(st_netfd_open_socket(listener.get())),
        wait_for_stop_(wait_for_stop) {
    if (listener_ == nullptr || all_gone_ == nullptr) fail("cannot wrap the listening socket");
    if (st_thread_create(stop, this, 0, 0) == nullptr) fail("cannot start a state thread");
  }

  ~Scheduler() { st_cond_destroy(all_gone_); }
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  void run() {
    accept_until_stopped();
    for (const Serving& serving : serving_) shutdown(st_netfd_fileno(serving.socket), SHUT_RD);
    while (!serving_.empty()) st_cond_wait(all_gone_);
  }

 private:
  struct Serving {
    Scheduler* all;
    st_netfd_t socket;
    std::list<Serving>::iterator self;
  };

  void accept_until_stopped() {
    for (int accepted = 1; !stopping_; ++accepted) {
      if (st_netfd_t client = st_accept(listener_, nullptr, nullptr, ST_UTIME_NO_TIMEOUT)) {
        start(client);
        if (accepted % kBatch == 0) st_thread_yield();
        continue;
      }
      const Door::Kind kind = door_.after_failure(errno);
      if (kind == Door::Kind::closed) return;
      // Not by trying: without a free descriptor accept() fails although nobody waits.
      if (kind == Door::Kind::nobody) st_netfd_poll(listener_, POLLIN, ST_UTIME_NO_TIMEOUT);
      if (kind == Door::Kind::pause) st_usleep(std::chrono::microseconds(Door::kPause).count());
    }
  }

  void start(st_netfd_t client) {
    if (door_.took_a_spare()) return door_.refuse_last(unwrap(client));
    if (door_.full([this] { return open_connections(); })) return door_.refuse_full(unwrap(client));
    serving_.push_back({this, client, {}});
    serving_.back().self = std::prev(serving_.end());
    const auto serving = completes_ ? serve<CompletingSocket> : serve<StateSocket>;
    if (st_thread_create(serving, &serving_.back(), 0, kServeStackBytes) != nullptr) return;
    const int error = errno;
    serving_.pop_back();
    door_.refuse(unwrap(client), limit_of_tasks("state thread", error));
  }

  template <class Socket>
  static void* serve(void* argument) {
    Serving& serving = *static_cast<Serving*>(argument);
    Scheduler& all = *serving.all;
    Socket socket(serving.socket);
    serve_connection(socket, all.server_.site, all.slot_);
    st_netfd_close(serving.socket);
    all.serving_.erase(serving.self);
    if (all.serving_.empty()) st_cond_signal(all.all_gone_);
    return nullptr;
  }

  static void* stop(void* argument) {
    Scheduler& all = *static_cast<Scheduler*>(argument);
    all.wait_for_stop_();
    all.stopping_ = true;
    st_thread_interrupt(all.accepting_);
    return nullptr;
  }

  // In all vehicles. Of this one all threads, also those that have not run yet and not counted.
  std::size_t open_connections() const {
    const std::size_t counted_here = slot_.connections.load(std::memory_order_relaxed) -
                                     slot_.closed.load(std::memory_order_relaxed);
    return server_.counters.open_connections() - counted_here + serving_.size();
  }

  static Fd unwrap(st_netfd_t socket) {
    Fd fd(st_netfd_fileno(socket));
    st_netfd_free(socket);
    return fd;
  }

  Server& server_;
  CounterSlot& slot_;
  Door door_;
  st_thread_t accepting_;
  st_cond_t all_gone_;
  st_netfd_t listener_;
  const std::function<void()>& wait_for_stop_;
  const bool completes_ = st_get_eventsys() == ST_EVENTSYS_IO_URING;
  std::list<Serving> serving_;
  bool stopping_ = false;
};

void choose_event(const std::string& name) {
  const int number = name == "select"     ? ST_EVENTSYS_SELECT
                     : name == "poll"     ? ST_EVENTSYS_POLL
                     : name == "io_uring" ? ST_EVENTSYS_IO_URING
                                          : ST_EVENTSYS_ALT;
  if (st_set_eventsys(number) != 0) {
    throw std::runtime_error("--event " + name + ": " + describe_errno(errno) +
                             "; this system or this build does not have it, choose another");
  }
}

}  // namespace

void serve_as_scheduler(Server& server, const Fd& listener, CounterSlot& slot,
                        const std::function<void()>& wait_for_stop) {
  choose_event(server.options.event);
  if (st_init() != 0) fail("cannot start a scheduler");
  Scheduler(server, listener, slot, wait_for_stop).run();
}

}  // namespace baselines
