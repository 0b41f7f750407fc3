// The listening sockets, and the options that every connection of every architecture has.
#pragma once

#include <string>
#include <vector>

#include "baselines/common/fd.h"
#include "baselines/common/options.h"

namespace baselines {

// Opens `count` listening sockets on the one address and port of the options. The kernel spreads
// connections evenly over them; see baselines/README.md, "One socket or several".
//
// TCP_NODELAY and the send and receive timeouts are set here, because on Linux an accepted socket
// inherits them from its listener: no connection needs a system call of its own for them. The
// timeouts concern blocking calls alone.
//
// Throws std::runtime_error with a whole sentence.
std::vector<Fd> open_listeners(const Options& options, int count);

// For those who accept until nobody waits any more.
void make_nonblocking(const Fd& listener);

// "http://127.0.0.1:40123", as a client on this machine can reach it.
std::string url_of(const Fd& listener);

// Ends listening for all processes that share the sockets, and wakes whoever waits in accept().
// Connections that nobody has accepted by now are reset.
void stop_listening(const std::vector<Fd>& listeners);

}  // namespace baselines
