// Identical processes, each with one scheduler: one state thread accepts, and starts another for
// each connection; a third waits for the signal to stop.
#include <st.h>
#include <sys/socket.h>

#include <cerrno>
#include <list>
#include <stdexcept>

#include "baselines/common/door.h"
#include "baselines/common/listener.h"
#include "baselines/common/log.h"
#include "baselines/common/program.h"
#include "baselines/common/supervisor.h"
#include "baselines/st/models.h"
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
  Scheduler(Server& server, const Fd& listener, CounterSlot& slot)
      : server_(server),
        slot_(slot),
        door_(listener, Door::Sockets::nonblocking, server.options, slot),
        accepting_(st_thread_self()),
        all_gone_(st_cond_new()),
        listener_(st_netfd_open_socket(listener.get())),
        signals_(st_netfd_open(server.signals.fd())) {
    if (listener_ == nullptr || signals_ == nullptr || all_gone_ == nullptr) {
      fail("cannot wrap the listening socket");
    }
    if (st_thread_create(wait_for_stop, this, 0, 0) == nullptr) fail("cannot start a state thread");
  }

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
      if (kind == Door::Kind::pause) st_usleep(std::chrono::microseconds(Door::kPause).count());
    }
  }

  void start(st_netfd_t client) {
    if (door_.full([this] { return open_connections(); })) return door_.refuse_full(unwrap(client));
    serving_.push_back({this, client, {}});
    serving_.back().self = std::prev(serving_.end());
    if (st_thread_create(serve, &serving_.back(), 0, kServeStackBytes) != nullptr) return;
    const int error = errno;
    serving_.pop_back();
    door_.refuse(unwrap(client), limit_of_tasks("state thread", error));
  }

  static void* serve(void* argument) {
    Serving& serving = *static_cast<Serving*>(argument);
    Scheduler& all = *serving.all;
    StateSocket socket(serving.socket);
    serve_connection(socket, all.server_.site, all.slot_);
    st_netfd_close(serving.socket);
    all.serving_.erase(serving.self);
    if (all.serving_.empty()) st_cond_signal(all.all_gone_);
    return nullptr;
  }

  static void* wait_for_stop(void* argument) {
    Scheduler& all = *static_cast<Scheduler*>(argument);
    while (!all.server_.signals.take().stop) {
      st_netfd_poll(all.signals_, POLLIN, ST_UTIME_NO_TIMEOUT);
    }
    all.stopping_ = true;
    st_thread_interrupt(all.accepting_);
    return nullptr;
  }

  // In all processes. Of this one all threads, also those that have not run yet and not counted.
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
  st_netfd_t signals_;
  std::list<Serving> serving_;
  bool stopping_ = false;
};

void choose_event(const std::string& name) {
  const int number = name == "select" ? ST_EVENTSYS_SELECT
                     : name == "poll" ? ST_EVENTSYS_POLL
                                      : ST_EVENTSYS_ALT;
  if (st_set_eventsys(number) != 0) {
    throw std::runtime_error("--event " + name + ": " + describe_errno(errno) +
                             "; this system or this build does not have it, choose another");
  }
}

}  // namespace

void serve_process(Server& server) {
  const std::vector<Fd> listeners = open_listeners(server.options, server.options.processes());
  for (const Fd& listener : listeners) make_nonblocking(listener);
  Supervisor supervisor(server.signals, server.counters, server.options.processes(),
                        [&](int index, CounterSlot& slot) {
                          server.signals.renew();
                          choose_event(server.options.event);
                          if (st_init() != 0) fail("st_init");
                          Scheduler(server, listeners[static_cast<std::size_t>(index)], slot).run();
                        });
  server.announce(listeners.front());
  supervisor.run([&] { stop_listening(listeners); });
}

}  // namespace baselines
