// A pool of processes: all block in accept() on one socket, the kernel picks who gets a connection.
#include <thread>

#include "baselines/common/door.h"
#include "baselines/common/listener.h"
#include "baselines/common/supervisor.h"
#include "baselines/mp/models.h"
#include "baselines/mp/stoppable.h"

namespace baselines {
namespace {

// What Apache's prefork allows by default, so that a comparison begins level.
constexpr int kDefaultWorkers = 256;

void work(Server& server, const Fd& listener, CounterSlot& slot) {
  using Kind = Door::Kind;
  server.signals.let_act();
  Door door(listener, Door::Sockets::blocking, server.options, slot);
  while (!stop_requested()) {
    const Door::Arrival arrival = door.accept([&] { return server.counters.open_connections(); });
    if (arrival.kind == Kind::client) serve_stoppable(arrival.socket, server, slot);
    if (arrival.kind == Kind::pause) std::this_thread::sleep_for(Door::kPause);
    if (arrival.kind == Kind::closed) return;
  }
}

}  // namespace

void serve_prefork(Server& server) {
  install_stop_handler();
  const std::vector<Fd> listeners = open_listeners(server.options, 1);
  const int workers = server.options.workers == 0 ? kDefaultWorkers : server.options.workers;
  Supervisor supervisor(server.signals, server.counters, workers,
                        [&](int, CounterSlot& slot) { work(server, listeners.front(), slot); });
  server.announce(listeners.front());
  supervisor.run([&] { stop_listening(listeners); });
}

}  // namespace baselines
