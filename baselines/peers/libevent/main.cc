// libevent: every connection is an object that event callbacks advance.
#include <array>

#include "baselines/common/listener.h"
#include "baselines/common/program.h"
#include "baselines/common/supervisor.h"
#include "baselines/peers/libevent/loop.h"

namespace baselines {
namespace {

void serve_loop(Server& server) {
  const std::vector<Fd> listeners = open_listeners(server.options, server.options.processes());
  for (const Fd& listener : listeners) make_nonblocking(listener);
  Supervisor supervisor(server.signals, server.counters, server.options.processes(),
                        [&](int index, CounterSlot& slot) {
                          server.signals.renew();
                          EventLoop(server, listeners[static_cast<std::size_t>(index)], slot).run();
                        });
  server.announce(listeners.front());
  supervisor.run([&] { stop_listening(listeners); });
}

}  // namespace
}  // namespace baselines

int main(int argc, char** argv) {
  using namespace baselines;
  static constexpr std::array models = {
      Model{"loop", "--cpus identical processes [1], each a libevent loop over epoll", serve_loop},
  };
  return run_program(argc, argv,
                     {"HTTP server on libevent: every connection is an object that event callbacks "
                      "advance.",
                      models});
}
