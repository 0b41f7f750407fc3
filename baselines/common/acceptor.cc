#include "baselines/common/acceptor.h"

#include <poll.h>

#include <array>

#include "baselines/common/listener.h"

namespace baselines {
namespace {

// Connections accepted before the signals are looked at again.
constexpr int kBatch = 64;

}  // namespace

Acceptor::Acceptor(Server& server)
    : server_(server),
      listeners_(open_listeners(server.options, 1)),
      // The acceptor counts in the first slot, which is always there: nobody else has asked yet.
      door_(listener(), Door::Sockets::blocking, server.options, *server.counters.take()) {
  make_nonblocking(listener());  // accepted in batches, until nobody waits
}

Signals::Heard Acceptor::wait(bool paused) {
  std::array<pollfd, 2> waited = {{
      {server_.signals.fd(), POLLIN, 0},
      {paused ? -1 : listener().get(), POLLIN, 0},
  }};
  poll(waited.data(), waited.size(), paused ? static_cast<int>(Door::kPause.count()) : -1);
  return waited[0].revents != 0 ? server_.signals.take() : Signals::Heard{};
}

void Acceptor::run(Vehicles& vehicles) {
  using Kind = Door::Kind;
  server_.announce(listener());
  bool paused = false;
  for (;;) {
    const Signals::Heard heard = wait(paused);
    if (heard.children) vehicles.reap();
    if (heard.stop) break;
    paused = false;
    for (int i = 0; i < kBatch; ++i) {
      Door::Arrival arrival = door_.accept([&] { return vehicles.size(); });
      if (arrival.kind == Kind::client) {
        vehicles.start(std::move(arrival.socket));
        continue;
      }
      paused = arrival.kind == Kind::pause;
      break;
    }
  }
  stop_listening(listeners_);
}

}  // namespace baselines
