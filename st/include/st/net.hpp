// Public header, part of st.hpp. Sockets: streams, listeners, datagrams.
#pragma once

#include <netinet/tcp.h>

#include <algorithm>
#include <climits>
#include <utility>

#include "bytes.hpp"
#include "endpoint.hpp"
#include "wait.hpp"

namespace st {

namespace detail {

// What all sockets can do. Closing one sends threads that wait on it away with st::canceled, and
// every later call on it reports the same; the descriptor is closed when the last of them has left.
class socket {
 public:
  socket() = default;

  explicit operator bool() const { return static_cast<bool>(fd_); }
  void close() noexcept { fd_.close(); }

  // For the calls of st.h and of the kernel; null and -1 when closed.
  st_netfd_t native_handle() const { return fd_.get(); }
  int fileno() const { return fd_ ? st_netfd_fileno(fd_.get()) : -1; }

  endpoint local_endpoint() const { return name(getsockname, "getsockname"); }

  void set_option(int level, int option, int value) {
    if (setsockopt(fileno(), level, option, &value, sizeof(value)) != 0) raise("setsockopt");
  }

 protected:
  using handle = waitable<st_netfd_t, st_netfd_close>;

  explicit socket(st_netfd_t wrapped) : fd_(wrapped) {}

  // Owns `osfd`, also if that fails.
  static st_netfd_t wrap(int osfd, const char* what) {
    if (osfd < 0) raise(what);
    st_netfd_t wrapped = st_netfd_open_socket(osfd);
    if (wrapped) return wrapped;
    const std::error_code ec = last_error();
    ::close(osfd);
    raise("st_netfd_open_socket", ec);
  }
  static st_netfd_t open(int family, int type) {
    return wrap(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
  }

  template <class Ask>
  endpoint name(Ask ask, const char* what) const {
    endpoint result;
    int room;
    sockaddr* address = result.room(&room);
    auto size = static_cast<socklen_t>(room);
    if (ask(fileno(), address, &size) != 0) raise(what);
    result.filled(static_cast<int>(size));
    return result;
  }

  handle fd_;
};

// The calls of st.h for datagrams count in int.
inline int int_size(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

}  // namespace detail

// A connected stream socket.
class stream : public detail::socket {
 public:
  stream() = default;

  static stream connect(const endpoint& to, deadline until, std::error_code& ec) {
    stream made(open(to.family(), SOCK_STREAM));
    made.fd_.wait(
        ec, [&](st_netfd_t fd) { return st_connect(fd, to.data(), to.size(), until.remaining()); });
    if (ec) made.close();
    return made;
  }
  static stream connect(const endpoint& to, deadline until = {}) {
    return detail::throwing("st::stream::connect",
                            [&](auto& ec) { return connect(to, until, ec); });
  }
  // Takes a connected socket over, and closes it if that fails.
  static stream adopt(int osfd) { return stream(wrap(osfd, "st::stream::adopt")); }
  // Two that are connected with each other.
  static std::pair<stream, stream> pair() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
      detail::raise("socketpair");
    try {
      stream first = adopt(std::exchange(ends[0], -1));
      return {std::move(first), adopt(std::exchange(ends[1], -1))};
    } catch (...) {
      if (ends[1] >= 0) ::close(ends[1]);
      throw;
    }
  }

  // What has come, at least one byte; 0 at the end.
  std::size_t read(buffer into, deadline until, std::error_code& ec) noexcept {
    const ssize_t got = fd_.wait(ec, [&](st_netfd_t fd) {
      return st_read(fd, into.data(), into.size(), until.remaining());
    });
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  std::size_t read(buffer into, deadline until = {}) {
    return detail::throwing("st::stream::read", [&](auto& ec) { return read(into, until, ec); });
  }

  // All of `into`; less if the other side ends before, or, with `ec` set, if it fails.
  std::size_t read_fully(buffer into, deadline until, std::error_code& ec) noexcept {
    std::size_t done = 0;
    ec.clear();
    while (done < into.size()) {
      const std::size_t got =
          read({static_cast<char*>(into.data()) + done, into.size() - done}, until, ec);
      if (got == 0) break;
      done += got;
    }
    return done;
  }
  std::size_t read_fully(buffer into, deadline until = {}) {
    return detail::throwing("st::stream::read_fully",
                            [&](auto& ec) { return read_fully(into, until, ec); });
  }

  // All of `from`. Returns how much has gone: less only with `ec` set.
  std::size_t write(bytes from, deadline until, std::error_code& ec) noexcept {
    ec.clear();
    if (until.never()) {
      std::size_t missing = from.size();
      if (missing > 0)
        fd_.wait(ec, [&](st_netfd_t fd) {
          return st_write_resid(fd, from.data(), &missing, ST_UTIME_NO_TIMEOUT);
        });
      return from.size() - missing;
    }
    std::size_t done = 0;
    while (done < from.size() && !ec) {
      // st_write() would begin its timeout anew whenever the other side takes a byte.
      iovec rest{const_cast<char*>(static_cast<const char*>(from.data())) + done,
                 from.size() - done};
      msghdr message{};
      message.msg_iov = &rest;
      message.msg_iovlen = 1;
      const int put = fd_.wait(
          ec, [&](st_netfd_t fd) { return st_sendmsg(fd, &message, 0, until.remaining()); });
      if (put > 0) done += static_cast<std::size_t>(put);
    }
    return done;
  }
  void write(bytes from, deadline until = {}) {
    detail::throwing("st::stream::write", [&](auto& ec) { write(from, until, ec); });
  }

  // The other side reads the end; it may still send.
  void finish() {
    if (shutdown(fileno(), SHUT_WR) != 0) detail::raise("shutdown");
  }

  endpoint peer_endpoint() const { return name(getpeername, "getpeername"); }
  // Small writes go out at once.
  void no_delay() { set_option(IPPROTO_TCP, TCP_NODELAY, 1); }

 private:
  friend class listener;
  explicit stream(st_netfd_t wrapped) : socket(wrapped) {}
};

// A listening socket.
class listener : public detail::socket {
 public:
  struct options {
    int backlog = SOMAXCONN;
    bool reuse_port = false;  // several processes or kernel threads listen, each with its own queue
  };

  listener() = default;
  explicit listener(const endpoint& on) : listener(on, options()) {}
  listener(const endpoint& on, options how) : socket(open(on.family(), SOCK_STREAM)) {
    if (on.family() != AF_UNIX) set_option(SOL_SOCKET, SO_REUSEADDR, 1);
    if (how.reuse_port) set_option(SOL_SOCKET, SO_REUSEPORT, 1);
    if (bind(fileno(), on.data(), static_cast<socklen_t>(on.size())) != 0)
      detail::raise(std::string("bind to ").append(on.to_string()).c_str());
    if (::listen(fileno(), how.backlog) != 0) detail::raise("listen");
  }
  // Takes a listening socket over, and closes it if that fails.
  static listener adopt(int osfd) {
    listener made;
    made.fd_ = handle(wrap(osfd, "st::listener::adopt"));
    return made;
  }

  stream accept(deadline until, std::error_code& ec) {
    st_netfd_t made = fd_.wait(
        ec, [&](st_netfd_t fd) { return st_accept(fd, nullptr, nullptr, until.remaining()); });
    return made ? stream(made) : stream();
  }
  stream accept(deadline until = {}) {
    return detail::throwing("st::listener::accept", [&](auto& ec) { return accept(until, ec); });
  }
};

// A datagram socket (UDP, or local).
class datagram : public detail::socket {
 public:
  datagram() = default;
  explicit datagram(const endpoint& on) : socket(open(on.family(), SOCK_DGRAM)) {
    if (bind(fileno(), on.data(), static_cast<socklen_t>(on.size())) != 0)
      detail::raise(std::string("bind to ").append(on.to_string()).c_str());
  }

  // One datagram; what does not fit is lost. An empty one has 0 bytes and no error.
  std::size_t receive(buffer into, endpoint& from, deadline until, std::error_code& ec) noexcept {
    int size;
    sockaddr* address = from.room(&size);
    const int got = fd_.wait(ec, [&](st_netfd_t fd) {
      return st_recvfrom(fd, into.data(), detail::int_size(into.size()), address, &size,
                         until.remaining());
    });
    if (!ec) from.filled(size);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  std::size_t receive(buffer into, endpoint& from, deadline until = {}) {
    return detail::throwing("st::datagram::receive",
                            [&](auto& ec) { return receive(into, from, until, ec); });
  }

  void send(bytes what, const endpoint& to, deadline until, std::error_code& ec) noexcept {
    fd_.wait(ec, [&](st_netfd_t fd) {
      return st_sendto(fd, what.data(), detail::int_size(what.size()), to.data(), to.size(),
                       until.remaining());
    });
  }
  void send(bytes what, const endpoint& to, deadline until = {}) {
    detail::throwing("st::datagram::send", [&](auto& ec) { send(what, to, until, ec); });
  }
};

}  // namespace st
