#include "baselines/common/origin.h"

#include <netdb.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "baselines/common/limits.h"
#include "baselines/common/log.h"

namespace baselines {

Origin::Origin(const std::string& host, std::uint16_t port)
    : name_((host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
            std::to_string(port)) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (error != 0) {
    throw std::runtime_error("--origin " + name_ + ": no such address: " + gai_strerror(error) +
                             "; give the server to fetch from, for example 127.0.0.1:8081");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
  std::memcpy(&address_, list->ai_addr, list->ai_addrlen);
  address_size_ = list->ai_addrlen;
}

Fd Origin::open_socket(int flags) const {
  Fd fd(::socket(address_.ss_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  if (!fd) {
    cannot_connect(errno);
    return fd;
  }
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

void Origin::cannot_connect(int error) const {
  std::string remedy;
  if (error == EMFILE)
    remedy = "RLIMIT_NOFILE " + limit_value(RLIMIT_NOFILE) + ", raise 'ulimit -n'";
  if (error == ENFILE) remedy = "raise fs.file-max";
  if (error == EADDRNOTAVAIL) {
    remedy = "all local ports for it are taken, widen net.ipv4.ip_local_port_range";
  }
  static Episode episode;
  if (remedy.empty() || !episode.begins()) return;
  log_line("no connection to --origin %s: %s; %s", name_.c_str(), describe_errno(error).c_str(),
           remedy.c_str());
}

}  // namespace baselines
