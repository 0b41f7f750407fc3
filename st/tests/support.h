// Internal to st's tests: threads that run a lambda, descriptors that close themselves, connected
// pairs.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "st.h"

namespace st_tests {

// A wait that must end by itself before: long enough for any machine, short enough to fail with a
// message instead of being killed.
inline constexpr st_utime_t kLong = 20'000'000;
// A wait that must not end by itself: only as long as is needed to see that it times out.
inline constexpr st_utime_t kShort = 20'000;

// A joinable state thread that runs `body`; joined at the latest when this goes. Large enough a
// stack for assertions, which format messages.
class Thread {
 public:
  explicit Thread(std::function<void()> body);
  Thread(Thread&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Thread& operator=(Thread&&) = delete;
  ~Thread() { join(); }

  void join();
  st_thread_t handle() const { return handle_; }

 private:
  st_thread_t handle_;
};

// An open descriptor outside the library; blocking unless something makes it otherwise.
class Raw {
 public:
  Raw() = default;
  explicit Raw(int fd) : fd_(fd) {}
  Raw(Raw&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Raw& operator=(Raw&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Raw() { close(); }

  int fd() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void close();

  // Sends or receives all of it, waiting in the kernel.
  void put(std::string_view text) const;
  std::string get(size_t size) const;

 private:
  int fd_ = -1;
};

// A wrapped descriptor; st_netfd_close() must succeed on it.
class Netfd {
 public:
  Netfd() = default;
  explicit Netfd(st_netfd_t netfd) : netfd_(netfd) {}
  Netfd(Netfd&& other) noexcept : netfd_(std::exchange(other.netfd_, nullptr)) {}
  Netfd& operator=(Netfd&& other) noexcept {
    std::swap(netfd_, other.netfd_);
    return *this;
  }
  ~Netfd() { close(); }

  operator st_netfd_t() const { return netfd_; }
  st_netfd_t release() { return std::exchange(netfd_, nullptr); }
  void close();

 private:
  st_netfd_t netfd_ = nullptr;
};

// One end in the library's hands, its peer outside of it.
struct Ends {
  Netfd st;
  Raw peer;
};
Ends local_stream();  // AF_UNIX
Ends tcp();           // over 127.0.0.1
Ends pipe_to_read();
Ends pipe_to_write();

struct Both {
  Netfd a, b;
};
Both local_streams();

std::pair<Raw, Raw> raw_pair(int type);
std::pair<Raw, Raw> raw_pipe();

// A TCP listener on a free port of 127.0.0.1.
Raw raw_listener(int backlog, sockaddr_in* address);
Raw raw_connection(const sockaddr_in& address);

// As small as the kernel allows, so that transfers are partial.
void make_buffers_tiny(int fd);

// Lets every runnable thread run and looks at descriptors once.
void pass();
// Passes until `done()`; false if that takes longer than kLong.
bool pass_until(const std::function<bool()>& done);

// st_read() of at most `size` bytes: what came, "" at the end, or "ETIME" and the like.
std::string read_some(st_netfd_t fd, size_t size, st_utime_t timeout = kLong);
// The name of an errno, so that failures read well.
std::string error_name(int error);

// What is in /proc/self/fd, as text.
std::string open_descriptors();
// Resident memory of this process in bytes.
size_t resident_bytes();

}  // namespace st_tests
