#include "baselines/mp/stoppable.h"

#include <signal.h>
#include <sys/socket.h>

#include <cerrno>

#include "baselines/common/blocking_socket.h"
#include "baselines/common/straight_loop.h"

namespace baselines {
namespace {

volatile sig_atomic_t served_socket = -1;
volatile sig_atomic_t stop_signal = 0;

void on_stop_signal(int number) {
  const int saved = errno;
  stop_signal = number;
  if (served_socket >= 0) shutdown(served_socket, SHUT_RD);
  errno = saved;
}

}  // namespace

void install_stop_handler() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;  // no SA_RESTART: accept() shall return, too
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
}

void serve_stoppable(const Fd& client, const Server& server, CounterSlot& slot) {
  served_socket = client.get();
  // The handler looks at served_socket after setting stop_signal, we the other way round: whenever
  // the signal comes, one of the two sees both.
  if (stop_requested()) shutdown(client.get(), SHUT_RD);
  BlockingSocket socket(client.get(), server.options.idle_timeout);
  serve_connection(socket, server.site, slot);
  served_socket = -1;  // before the descriptor's number can mean anything else
}

bool stop_requested() { return stop_signal != 0; }

}  // namespace baselines
