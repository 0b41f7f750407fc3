// N identical processes, each with a listening socket and a loop of its own.
#pragma once

#include <vector>

#include "baselines/common/listener.h"
#include "baselines/common/program.h"
#include "baselines/common/supervisor.h"

namespace baselines {

// `Loop` is made with (Server&, const Fd& listener, CounterSlot&) in its process, and run().
template <class Loop>
void serve_symmetric(Server& server) {
  const std::vector<Fd> listeners = open_listeners(server.options, server.options.processes());
  for (const Fd& listener : listeners) make_nonblocking(listener);
  Supervisor supervisor(server.signals, server.counters, server.options.processes(),
                        [&](int index, CounterSlot& slot) {
                          server.signals.renew();
                          Loop(server, listeners[static_cast<std::size_t>(index)], slot).run();
                        });
  server.announce(listeners.front());
  supervisor.run([&] { stop_listening(listeners); });
}

}  // namespace baselines
