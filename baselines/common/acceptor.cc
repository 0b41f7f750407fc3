#include "baselines/common/acceptor.h"

#include <poll.h>

#include <array>
#include <new>

namespace baselines {
namespace {

// Connections accepted before the signals are looked at again.
constexpr int kBatch = 64;

}  // namespace

Acceptor::Acceptor(Server& server, const Fd& listener, CounterSlot& slot)
    : server_(server),
      listener_(listener),
      door_(listener, Door::Sockets::blocking, server.options, slot) {}

Signals::Heard Acceptor::wait(bool paused) {
  std::array<pollfd, 2> waited = {{
      {server_.signals.fd(), POLLIN, 0},
      {paused ? -1 : listener_.get(), POLLIN, 0},
  }};
  poll(waited.data(), waited.size(), paused ? static_cast<int>(Door::kPause.count()) : -1);
  return waited[0].revents != 0 ? server_.signals.take() : Signals::Heard{};
}

void Acceptor::start(Vehicles& vehicles, Fd client) {
  try {
    vehicles.start(std::move(client));
  } catch (const std::bad_alloc&) {
    // Has been announced; the client has been closed, and perhaps the next one needs less.
  }
}

void Acceptor::run(Vehicles& vehicles) {
  using Kind = Door::Kind;
  bool paused = false;
  for (;;) {
    const Signals::Heard heard = wait(paused);
    if (heard.children) vehicles.reap();
    if (heard.stop) return;
    paused = false;
    for (int i = 0; i < kBatch; ++i) {
      Door::Arrival arrival = door_.accept([&] { return vehicles.size(); });
      if (arrival.kind == Kind::client) {
        start(vehicles, std::move(arrival.socket));
        continue;
      }
      paused = arrival.kind == Kind::pause;
      break;
    }
  }
}

}  // namespace baselines
