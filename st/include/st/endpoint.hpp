// Public header, part of st.hpp. Addresses of sockets.
#pragma once

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "time.hpp"

namespace st {

namespace detail {

// The EAI_ codes of getaddrinfo(3).
inline const std::error_category& resolver_category() {
  struct category final : std::error_category {
    const char* name() const noexcept override { return "getaddrinfo"; }
    std::string message(int code) const override { return gai_strerror(code); }
  };
  static const category instance;
  return instance;
}

}  // namespace detail

// Where a socket is or goes to: "127.0.0.1:80", "[::1]:80", ":80" for every address of the host
// (IPv6 and IPv4), "unix:/run/x". Names are not looked up here but by resolve().
class endpoint {
 public:
  endpoint() = default;
  endpoint(std::string_view text) {
    if (!parse(text))
      throw std::system_error(
          std::make_error_code(std::errc::invalid_argument),
          std::string("st::endpoint \"")
              .append(text)
              .append("\" is none of 127.0.0.1:80, [::1]:80, :80 and unix:/path (names: "
                      "st::resolve)"));
  }
  endpoint(const char* text) : endpoint(std::string_view(text)) {}
  endpoint(const sockaddr* address, socklen_t size) {
    memcpy(&storage_, address, size);
    size_ = size;
  }

  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  int size() const { return static_cast<int>(size_); }
  int family() const { return storage_.ss_family; }
  // 0: none, or to be chosen by the kernel.
  unsigned short port() const {
    if (family() == AF_INET) return ntohs(as<sockaddr_in>()->sin_port);
    if (family() == AF_INET6) return ntohs(as<sockaddr_in6>()->sin6_port);
    return 0;
  }

  std::string to_string() const {
    char text[INET6_ADDRSTRLEN] = "";
    std::string name;
    if (family() == AF_INET) {
      inet_ntop(AF_INET, &as<sockaddr_in>()->sin_addr, text, sizeof(text));
      name.append(text);
    } else if (family() == AF_INET6) {
      inet_ntop(AF_INET6, &as<sockaddr_in6>()->sin6_addr, text, sizeof(text));
      name.append(1, '[').append(text).append(1, ']');
    } else if (family() == AF_UNIX) {
      return name.append("unix:").append(as<sockaddr_un>()->sun_path);
    } else {
      return name.append("none");
    }
    return name.append(1, ':').append(std::to_string(port()));
  }

  // For calls that fill it in.
  sockaddr* room(int* size) {
    *size = sizeof(storage_);
    return reinterpret_cast<sockaddr*>(&storage_);
  }
  void filled(int size) { size_ = static_cast<socklen_t>(size); }

 private:
  template <class Address>
  const Address* as() const {
    return reinterpret_cast<const Address*>(&storage_);
  }
  template <class Address>
  Address* make(int family) {
    storage_.ss_family = static_cast<sa_family_t>(family);
    size_ = sizeof(Address);
    return reinterpret_cast<Address*>(&storage_);
  }

  bool parse(std::string_view text) {
    constexpr std::string_view kLocal = "unix:";
    if (text.starts_with(kLocal)) {
      text.remove_prefix(kLocal.size());
      auto* local = make<sockaddr_un>(AF_UNIX);
      if (text.empty() || text.size() >= sizeof(local->sun_path)) return false;
      memcpy(local->sun_path, text.data(), text.size());
      return true;
    }
    const std::size_t colon = text.rfind(':');
    if (colon == text.npos) return false;
    const std::string_view digits = text.substr(colon + 1);
    unsigned short port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size()) return false;

    std::string host(text.substr(0, colon));
    if (host.empty()) host = "[::]";
    if (host.front() == '[' && host.back() == ']') {
      auto* six = make<sockaddr_in6>(AF_INET6);
      six->sin6_port = htons(port);
      host = host.substr(1, host.size() - 2);
      return inet_pton(AF_INET6, host.c_str(), &six->sin6_addr) == 1;
    }
    auto* four = make<sockaddr_in>(AF_INET);
    four->sin_port = htons(port);
    return inet_pton(AF_INET, host.c_str(), &four->sin_addr) == 1;
  }

  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

// The endpoints for streams that a name has, in the order to be tried. Asked in a helper kernel
// thread.
inline std::vector<endpoint> resolve(const std::string& host, const std::string& service,
                                     deadline until, std::error_code& ec) {
  ec.clear();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = st_getaddrinfo(host.c_str(), service.c_str(), &hints, &found, until.remaining());
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(code == 0 ? found : nullptr,
                                                             freeaddrinfo);
  if (code == EAI_SYSTEM)
    ec = detail::last_error();
  else if (code != 0)
    ec = {code, detail::resolver_category()};
  std::vector<endpoint> endpoints;
  for (const addrinfo* entry = owner.get(); entry; entry = entry->ai_next)
    endpoints.emplace_back(entry->ai_addr, entry->ai_addrlen);
  return endpoints;
}
inline std::vector<endpoint> resolve(const std::string& host, const std::string& service,
                                     deadline until = {}) {
  return detail::throwing("st::resolve",
                          [&](auto& ec) { return resolve(host, service, until, ec); });
}

}  // namespace st
