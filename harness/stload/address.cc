#include "harness/stload/address.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>

#include "harness/stload/error.h"

namespace stload {
namespace {

constexpr std::uint32_t kMostAddresses = 65536;  // more are not a test but a slip of the finger

std::uint32_t parse_ipv4(const std::string& text) {
  in_addr address{};
  if (inet_pton(AF_INET, text.c_str(), &address) != 1) {
    throw std::invalid_argument("an IPv4 address, or two with '-' between them");
  }
  return ntohl(address.s_addr);
}

Address ipv4(std::uint32_t host, std::uint16_t port) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(host);
  in.sin_port = htons(port);
  Address address;
  std::memcpy(&address.storage, &in, sizeof(in));
  address.size = sizeof(in);
  return address;
}

// As an IPv6 address is written where a port follows.
std::string bracketed(const std::string& host) {
  if (host.find(':') == std::string::npos) return host;
  return std::string("[").append(host).append("]");
}

}  // namespace

std::string Url::authority() const {
  const std::string name = bracketed(host);
  return port == 80 ? name : name + ":" + std::to_string(port);
}

Url parse_url(std::string_view text) {
  const std::invalid_argument expected("http://ADDR[:PORT][/PATH] without white space");
  constexpr std::string_view scheme = "http://";
  if (!text.starts_with(scheme)) throw expected;
  if (text.find_first_of(" \t\r\n#") != std::string_view::npos) throw expected;
  text.remove_prefix(scheme.size());
  const std::size_t slash = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, slash);
  Url url;
  if (slash < text.size()) url.path = text.substr(slash);
  if (url.path.front() == '?') url.path.insert(0, 1, '/');

  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) throw expected;
    url.host = authority.substr(1, bracket - 1);
    port = authority.substr(bracket + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    url.host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (url.host.empty() || url.host.find('@') != std::string::npos) throw expected;
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), url.port);
    if (port.front() != ':' || error != std::errc() || end != port.data() + port.size() ||
        url.port == 0) {
      throw std::invalid_argument("a port from 1 to 65535");
    }
  }
  return url;
}

std::string Address::text() const {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (getnameinfo(data(), size, host, sizeof(host), port, sizeof(port),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  return bracketed(host) + ":" + port;
}

Address resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    throw Fatal("the address of '" + host +
                "': " + (error == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  Address address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  return address;
}

std::vector<Address> parse_addresses(const std::string& text, std::uint16_t port) {
  const std::size_t dash = text.find('-');
  const std::uint32_t first = parse_ipv4(text.substr(0, dash));
  const std::uint32_t last = dash == std::string::npos ? first : parse_ipv4(text.substr(dash + 1));
  if (last < first || last - first >= kMostAddresses) {
    throw std::invalid_argument("the lower address first, and at most 65,536 of them");
  }
  std::vector<Address> addresses;
  for (std::uint32_t host = first;; ++host) {
    addresses.push_back(ipv4(host, port));
    if (host == last) return addresses;
  }
}

}  // namespace stload
