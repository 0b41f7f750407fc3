// The server behind /proxy/: its address, looked up once.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "baselines/common/fd.h"

namespace baselines {

class Origin {
 public:
  // Throws std::runtime_error with a sentence when there is no such host.
  Origin(const std::string& host, std::uint16_t port);

  // HOST:PORT, as the origin wants to be called.
  std::string_view name() const { return name_; }

  // A new socket for a connection to the origin; `flags` as socket(2). Not open: there is none.
  Fd open_socket(int flags) const;

  // Tells people when it is a limit of this machine that has kept connect(2) from working; what is
  // the matter with the origin, the client learns by 502.
  void cannot_connect(int error) const;

  // For connect(2).
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t address_size() const { return address_size_; }

 private:
  std::string name_;
  sockaddr_storage address_{};
  socklen_t address_size_ = 0;
};

}  // namespace baselines
