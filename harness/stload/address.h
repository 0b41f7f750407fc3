// Where the server is: a URL, and the addresses that stand behind it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stload {

struct Url {
  std::string host;  // without brackets
  std::uint16_t port = 80;
  std::string path = "/";  // with the query

  std::string authority() const;  // as a Host field says it
};

// http://HOST[:PORT][/PATH]. Throws std::invalid_argument with what was expected.
Url parse_url(std::string_view text);

// One place to connect to.
struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  std::string text() const;  // "127.0.0.1:8080"
};

// A host's first address; names are asked for. Throws Fatal.
Address resolve(const std::string& host, std::uint16_t port);

// "127.0.0.1-127.0.0.8": an IPv4 range with both its ends; or one address. Throws
// std::invalid_argument.
std::vector<Address> parse_addresses(const std::string& text, std::uint16_t port);

}  // namespace stload
