#include "baselines/common/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "baselines/common/log.h"
#include "baselines/common/timeval.h"

namespace baselines {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  bool ipv6() const { return storage.ss_family == AF_INET6; }
};

[[noreturn]] void fail(const Options& options, const std::string& what, const char* advice) {
  throw std::runtime_error("--listen " + options.listen() + ": " + what + "; " + advice);
}

Address resolve(const Options& options) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error =
      getaddrinfo(options.host.c_str(), std::to_string(options.port).c_str(), &hints, &list);
  if (error != 0) {
    fail(options, std::string("no such address: ") + gai_strerror(error),
         "give an address of this machine and a port, for example 127.0.0.1:8080");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
  Address address;
  std::memcpy(&address.storage, list->ai_addr, list->ai_addrlen);
  address.length = list->ai_addrlen;
  return address;
}

template <class T>
void set(const Options& options, const Fd& socket, int level, int name, const T& value,
         const char* text) {
  if (setsockopt(socket.get(), level, name, &value, sizeof(value)) != 0) {
    fail(options, std::string("cannot set ") + text + ": " + describe_errno(errno),
         "this kernel is too old or the sandbox forbids it");
  }
}

Fd open_socket(const Options& options, const Address& address) {
  Fd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) {
    fail(options, "cannot make a socket: " + describe_errno(errno), "raise 'ulimit -n'");
  }
  set(options, socket, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
  set(options, socket, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
  const timeval timeout = to_timeval(options.idle_timeout);
  set(options, socket, SOL_SOCKET, SO_RCVTIMEO, timeout, "SO_RCVTIMEO");
  set(options, socket, SOL_SOCKET, SO_SNDTIMEO, timeout, "SO_SNDTIMEO");
  return socket;
}

void bind_to(const Options& options, const Fd& socket, Address& address) {
  if (bind(socket.get(), address.get(), address.length) == 0) return;
  const int error = errno;
  fail(options, "cannot bind: " + describe_errno(error),
       error == EADDRINUSE ? "another program listens there; end it, or choose another port (0 "
                             "picks a free one)"
       : error == EACCES   ? "ports below 1024 need privileges; choose a higher one"
                           : "give an address of this machine, for example 127.0.0.1");
}

// Which of `count` sockets gets a new connection: (client's port / 2) modulo count. A Linux client
// that opens connections in a row gets every second port, so they come out evenly, where the
// kernel's hash would leave one process of two with all of 4 clients in one case of 8. To anybody
// else, ports are as good as a hash.
void spread_evenly(const Options& options, const Fd& socket, bool ipv6, std::uint32_t count) {
  constexpr std::uint32_t kIpv4Head = 20;  // one with options - there are none - only loses balance
  constexpr std::uint32_t kIpv6Head = 40;
  const std::uint32_t port_at =
      static_cast<std::uint32_t>(SKF_NET_OFF) + (ipv6 ? kIpv6Head : kIpv4Head);
  std::array<sock_filter, 4> code = {{
      {BPF_LD | BPF_H | BPF_ABS, 0, 0, port_at},
      {BPF_ALU | BPF_RSH | BPF_K, 0, 0, 1},
      {BPF_ALU | BPF_MOD | BPF_K, 0, 0, count},
      {BPF_RET | BPF_A, 0, 0, 0},
  }};
  const sock_fprog program{code.size(), code.data()};
  set(options, socket, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, program, "SO_ATTACH_REUSEPORT_CBPF");
}

}  // namespace

std::vector<Fd> open_listeners(const Options& options, int count) {
  Address address = resolve(options);
  std::vector<Fd> listeners;
  listeners.push_back(open_socket(options, address));
  // The first socket is bound without SO_REUSEPORT, so that a port already served by anybody -
  // an earlier server of ours, too - is an error instead of half of the connections.
  bind_to(options, listeners.front(), address);
  address.length = sizeof(address.storage);
  getsockname(listeners.front().get(), address.get(), &address.length);  // the port that was picked

  if (count > 1) {
    set(options, listeners.front(), SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
    while (listeners.size() < static_cast<std::size_t>(count)) {
      Fd next = open_socket(options, address);
      set(options, next, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
      bind_to(options, next, address);
      listeners.push_back(std::move(next));
    }
  }
  for (const Fd& listener : listeners) {
    if (listen(listener.get(), options.backlog) != 0) {
      fail(options, "cannot listen: " + describe_errno(errno), "choose another port");
    }
  }
  if (count > 1) {
    spread_evenly(options, listeners.front(), address.ipv6(), static_cast<std::uint32_t>(count));
  }
  return listeners;
}

void make_nonblocking(const Fd& listener) {
  fcntl(listener.get(), F_SETFL, O_RDWR | O_NONBLOCK);  // a socket has no other flags to keep
}

std::string url_of(const Fd& listener) {
  Address address;
  getsockname(listener.get(), address.get(), &address.length);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ipv6()) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    inet_ntop(AF_INET6, &in->sin6_addr, text.data(), text.size());
    const bool any = IN6_IS_ADDR_UNSPECIFIED(&in->sin6_addr);
    return std::string("http://[") + (any ? "::1" : text.data()) +
           "]:" + std::to_string(ntohs(in->sin6_port));
  }
  const auto* in = reinterpret_cast<const sockaddr_in*>(&address.storage);
  inet_ntop(AF_INET, &in->sin_addr, text.data(), text.size());
  const bool any = in->sin_addr.s_addr == htonl(INADDR_ANY);
  return std::string("http://") + (any ? "127.0.0.1" : text.data()) + ":" +
         std::to_string(ntohs(in->sin_port));
}

void stop_listening(const std::vector<Fd>& listeners) {
  for (const Fd& listener : listeners) shutdown(listener.get(), SHUT_RD);
}

}  // namespace baselines
