// How a process that waits in a blocking call is told to stop.
//
// SIGTERM and SIGINT end the receiving side of the connection being served, as if the client had
// done so: a read that waits, or the next one, sees the end of input; what was asked is answered.
// There is no moment at which the signal could come too early or too late, because the mark stays
// on the socket.
#pragma once

#include "baselines/common/fd.h"
#include "baselines/common/program.h"

namespace baselines {

// In the parent, before it forks: there the signals are blocked, so only children will act on them.
void install_stop_handler();

// In a child: serves one connection with the straight loop.
void serve_stoppable(const Fd& client, const Server& server, CounterSlot& slot);

// True once a stop signal has come.
bool stop_requested();

}  // namespace baselines
