// Identical processes, each with one scheduler: the paper's way.
#include <poll.h>
#include <st.h>

#include "baselines/common/listener.h"
#include "baselines/common/supervisor.h"
#include "baselines/st/models.h"
#include "baselines/st/scheduler.h"

namespace baselines {
namespace {

// A signal is an event like others: a state thread waits for it.
void wait_for_signal(Signals& signals) {
  st_netfd_t readable = st_netfd_open(signals.fd());
  while (!signals.take().stop) st_netfd_poll(readable, POLLIN, ST_UTIME_NO_TIMEOUT);
  st_netfd_free(readable);
}

}  // namespace

void serve_process(Server& server) {
  const std::vector<Fd> listeners = open_listeners(server.options, server.options.processes());
  for (const Fd& listener : listeners) make_nonblocking(listener);
  Supervisor supervisor(server.signals, server.counters, server.options.processes(),
                        [&](int index, CounterSlot& slot) {
                          server.signals.renew();
                          serve_as_scheduler(server, listeners[static_cast<std::size_t>(index)],
                                             slot, [&] { wait_for_signal(server.signals); });
                        });
  server.announce(listeners.front());
  supervisor.run([&] { stop_listening(listeners); });
}

}  // namespace baselines
