// A pool of kernel threads: all block in accept() on one socket, the kernel picks who gets a
// connection and serves it to its end.
#include <stdexcept>
#include <thread>

#include "baselines/common/blocking_socket.h"
#include "baselines/common/door.h"
#include "baselines/common/straight_loop.h"
#include "baselines/mt/models.h"
#include "baselines/mt/roster.h"
#include "baselines/mt/supervised.h"
#include "baselines/mt/thread_group.h"

namespace baselines {
namespace {

void work(Server& server, const Fd& listener, Roster& roster, CounterSlot& slot) {
  using Kind = Door::Kind;
  Roster::Member member(roster, Roster::kNoSocket);
  Door door(listener, Door::Sockets::blocking, server.options, slot);
  for (;;) {
    const Door::Arrival arrival = door.accept([&] { return server.counters.open_connections(); });
    if (arrival.kind == Kind::client) {
      member.change(arrival.socket.get());
      BlockingSocket socket(arrival.socket.get(), server.options.idle_timeout);
      serve_connection(socket, server.site, slot);
      member.change(Roster::kNoSocket);
    }
    if (arrival.kind == Kind::pause) std::this_thread::sleep_for(Door::kPause);
    if (arrival.kind == Kind::closed) break;
  }
}

void serve(Server& server, const Fd& listener, CounterSlot& slot,
           const std::function<void()>& serving) {
  Roster roster;
  std::vector<std::function<void()>> works;
  for (int i = 0; i < server.options.pool_size(); ++i) {
    CounterSlot* own = i == 0 ? &slot : server.counters.take();
    if (own == nullptr) throw std::runtime_error(kNoSlot);
    works.emplace_back([&, own] { work(server, listener, roster, *own); });
  }
  const ThreadGroup threads(std::move(works));
  serving();
  wait_for_stop(server);
  roster.finish();
}

}  // namespace

void serve_pool(Server& server) { serve_supervised(server, Listener::blocking, serve); }

}  // namespace baselines
