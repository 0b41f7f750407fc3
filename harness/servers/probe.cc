#include "harness/servers/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <optional>

#include "harness/error.h"
#include "harness/os/system.h"

namespace archbench {
namespace {

constexpr int kPatienceSeconds = 5;  // a server without load that needs longer is broken

// "http://127.0.0.1:8080" as a socket address. Servers are local and print numbers, not names.
sockaddr_in parse_url(const std::string& url, std::string& host) {
  const std::string scheme = "http://";
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (url.starts_with(scheme)) {
    host = url.substr(scheme.size(), url.find('/', scheme.size()) - scheme.size());
    const std::size_t colon = host.rfind(':');
    int port = 0;
    if (colon != std::string::npos) {
      std::from_chars(host.data() + colon + 1, host.data() + host.size(), port);
    }
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    if (port > 0 && port < 65536 &&
        inet_pton(AF_INET, host.substr(0, colon).c_str(), &address.sin_addr) == 1) {
      return address;
    }
  }
  throw CellFailed("the server said it listens at \"" + url + "\"; expected http://A.B.C.D:PORT");
}

class Socket {
 public:
  Socket() : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (descriptor_ < 0) throw CellFailed(errno_text("the probe's socket"));
    const timeval patience{kPatienceSeconds, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  ~Socket() { close(descriptor_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::optional<std::size_t> content_length(const std::string& head) {
  const std::string text = lower(head);
  const std::string name = "\r\ncontent-length:";
  const std::size_t found = text.find(name);
  if (found == std::string::npos) return std::nullopt;
  const std::size_t digits = text.find_first_not_of(' ', found + name.size());
  std::size_t length = 0;
  const auto [end, error] =
      std::from_chars(text.data() + digits, text.data() + text.size(), length);
  if (error != std::errc{}) return std::nullopt;
  return length;
}

}  // namespace

Body fetch(const std::string& url, const std::string& path, bool keepalive) {
  const auto fail = [&](const std::string& what) -> CellFailed {
    return CellFailed("fetching " + url + path + ": " + what);
  };
  std::string host;
  const sockaddr_in address = parse_url(url, host);
  Socket socket;
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw_if_interrupted();
    throw fail(errno_text("connecting"));
  }
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" +
                              (keepalive ? "" : "Connection: close\r\n") + "\r\n";
  if (send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    throw fail(errno_text("sending the request"));
  }

  std::string answer;
  Body body;
  std::size_t expected = 0;  // head and content, once the head is there
  while (expected == 0 || answer.size() < expected) {
    char buffer[65536];
    const ssize_t n = recv(socket.get(), buffer, sizeof buffer, 0);
    throw_if_interrupted();
    if (n < 0) throw fail(errno_text("waiting for the answer"));
    if (n == 0) throw fail("the server closed after " + std::to_string(answer.size()) + " bytes");
    answer.append(buffer, static_cast<std::size_t>(n));
    const std::size_t head_end = answer.find("\r\n\r\n");
    if (expected > 0 || head_end == std::string::npos) continue;
    body.head_bytes = head_end + 4;
    const auto length = content_length(answer.substr(0, body.head_bytes));
    if (!length) throw fail("the answer has no Content-Length");
    expected = body.head_bytes + *length;
  }
  // "HTTP/1.1 200 OK"
  if (answer.size() > 12) std::from_chars(answer.data() + 9, answer.data() + 12, body.status);
  if (answer.size() > expected) throw fail("the server sent more than its Content-Length");
  body.content = answer.substr(body.head_bytes);
  return body;
}

bool can_connect(const std::string& url) {
  std::string host;
  const sockaddr_in address = parse_url(url, host);
  const Socket socket;
  return connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

std::string body_complaint(const Body& body, const std::string& path) {
  if (body.status != 200) {
    return path + " gave status " + std::to_string(body.status) + ", expected 200";
  }
  const std::string prefix = "/bytes/";
  std::size_t wanted = 0;
  if (path.starts_with(prefix) &&
      std::from_chars(path.data() + prefix.size(), path.data() + path.size(), wanted).ec ==
          std::errc{} &&
      body.content.size() != wanted) {
    return path + " gave " + std::to_string(body.content.size()) + " bytes";
  }
  return "";
}

}  // namespace archbench
