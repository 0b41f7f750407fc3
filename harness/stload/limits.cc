#include "harness/stload/limits.h"

#include <sys/resource.h>

#include <cerrno>
#include <fstream>

#include "harness/stload/error.h"
#include "harness/stload/text.h"

namespace stload {
namespace {

// Standard streams, epoll, pipes, the bell, and what libraries keep open.
constexpr long kOtherDescriptors = 32;

struct Ports {
  long first = 32768, last = 60999;  // Linux's own default
  long count() const { return last - first + 1; }
};

Ports local_ports() {
  Ports ports;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> ports.first >> ports.last;
  return ports;
}

std::string ports_text() {
  const Ports ports = local_ports();
  return grouped(static_cast<std::uint64_t>(ports.count())) +
         " local ports for each address of the server (net.ipv4.ip_local_port_range is " +
         std::to_string(ports.first) + " to " + std::to_string(ports.last) + ")";
}

std::string addresses_hint(long addresses) {
  return "; let the server listen on 0.0.0.0 and name more of its addresses, for example "
         "--addresses 127.0.0.1-127.0.0." +
         std::to_string(std::min(addresses, 254L));
}

}  // namespace

void check_limits(const Options& options) {
  const long connections = options.connections();
  const long each = (connections + options.processes - 1) / options.processes;
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);  // fails only for arguments that these are not
  const auto limit = static_cast<long>(descriptors.rlim_max);
  if (descriptors.rlim_max != RLIM_INFINITY && each + kOtherDescriptors > limit) {
    const long room = std::max(1L, limit - kOtherDescriptors);
    throw Fatal(grouped(each) + " connections in one process need " +
                grouped(each + kOtherDescriptors) + " descriptors, and it may have " +
                grouped(limit) + " (ulimit -Hn): raise that limit, or use --processes " +
                std::to_string((connections + room - 1) / room));
  }
  const long ports = local_ports().count() * static_cast<long>(options.addresses.size());
  if (connections > ports) {
    throw Fatal(grouped(connections) + " connections to " + grouped(options.addresses.size()) +
                " address" + (options.addresses.size() == 1 ? "" : "es") + ": there are only " +
                ports_text() +
                addresses_hint((connections + local_ports().count() - 1) / local_ports().count()));
  }
}

std::string explain_connect(int error, const Address& address) {
  const std::string what = with_errno("connecting to " + address.text(), error);
  switch (error) {
    case EADDRNOTAVAIL:
      return what + ": there are " + ports_text() + ", and none is free" + addresses_hint(8);
    case EMFILE:
      return what + ": raise the limit of descriptors (ulimit -n), or use more --processes";
    case ENFILE:
      return what + ": raise fs.file-max";
    case ECONNREFUSED:
      return what + ": is the server listening there?";
    case ETIME:
      return what + ": not established within --timeout; is the server's backlog full?";
    default:
      return what;
  }
}

}  // namespace stload
