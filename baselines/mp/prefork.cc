// A pool of processes, each of which accepts a connection and serves it to its end. --accept says
// how they share the port:
//   herd       all block in accept() on one socket, the kernel picks who gets a connection
//   lock       the same socket, but only who holds a lock is in accept(); the others wait for it
//   reuseport  a socket for each process, the kernel spreads connections over the sockets
#include <mutex>
#include <optional>
#include <thread>

#include "baselines/common/door.h"
#include "baselines/common/listener.h"
#include "baselines/common/supervisor.h"
#include "baselines/mp/accept_lock.h"
#include "baselines/mp/models.h"
#include "baselines/mp/stoppable.h"

namespace baselines {
namespace {

// `lock` is null where nobody waits for a turn.
void work(Server& server, const Fd& listener, AcceptLock* lock, CounterSlot& slot) {
  using Kind = Door::Kind;
  server.signals.let_act();
  Door door(listener, Door::Sockets::blocking, server.options, slot);
  const auto accept_one = [&]() -> Door::Arrival {
    std::unique_lock<AcceptLock> turn;
    if (lock != nullptr) turn = std::unique_lock(*lock);
    if (stop_requested()) return {Kind::closed, Fd()};  // came while we waited for our turn
    return door.accept([&] { return server.counters.open_connections(); });
  };
  while (!stop_requested()) {
    const Door::Arrival arrival = accept_one();
    if (arrival.kind == Kind::client) serve_stoppable(arrival.socket, server, slot);
    if (arrival.kind == Kind::pause) std::this_thread::sleep_for(Door::kPause);
    if (arrival.kind == Kind::closed) return;
  }
}

}  // namespace

void serve_prefork(Server& server) {
  install_stop_handler();
  const int workers = server.options.pool_size();
  const int sockets = server.options.accept == "reuseport" ? workers : 1;
  const std::vector<Fd> listeners = open_listeners(server.options, sockets);
  std::optional<AcceptLock> lock;
  if (server.options.accept == "lock") lock.emplace();
  Supervisor supervisor(server.signals, server.counters, workers,
                        [&](int index, CounterSlot& slot) {
                          work(server, listeners[static_cast<std::size_t>(index % sockets)],
                               lock ? &*lock : nullptr, slot);
                        });
  server.announce(listeners.front());
  supervisor.run([&] { stop_listening(listeners); });
}

}  // namespace baselines
