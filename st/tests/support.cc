#include "support.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <gtest/gtest.h>
#include <string.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <set>

namespace st_tests {
namespace {

constexpr int kStackForAssertions = 256 * 1024;

void* run(void* argument) {
  const std::unique_ptr<std::function<void()>> body(static_cast<std::function<void()>*>(argument));
  (*body)();
  return nullptr;
}

Ends ends(int fd, int peer) { return {Netfd(st_netfd_open(fd)), Raw(peer)}; }

}  // namespace

Thread::Thread(std::function<void()> body)
    : handle_(st_thread_create(run, new std::function<void()>(std::move(body)), 1,
                               kStackForAssertions)) {
  EXPECT_NE(handle_, nullptr) << strerror(errno);
}

void Thread::join() {
  if (!handle_) return;
  EXPECT_EQ(st_thread_join(std::exchange(handle_, nullptr), nullptr), 0) << strerror(errno);
}

void Raw::close() {
  if (fd_ < 0) return;
  EXPECT_EQ(::close(release()), 0) << strerror(errno);
}

void Raw::put(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t put = write(fd_, text.data(), text.size());
    ASSERT_GT(put, 0) << strerror(errno);
    text.remove_prefix(static_cast<size_t>(put));
  }
}

std::string Raw::get(size_t size) const {
  std::string text(size, '\0');
  size_t got = 0;
  while (got < size) {
    const ssize_t more = ::read(fd_, &text[got], size - got);
    if (more <= 0) break;
    got += static_cast<size_t>(more);
  }
  text.resize(got);
  return text;
}

void Netfd::close() {
  if (!netfd_) return;
  EXPECT_EQ(st_netfd_close(release()), 0) << strerror(errno);
}

Ends local_stream() {
  auto [a, b] = raw_pair(SOCK_STREAM);
  return ends(a.release(), b.release());
}

Both local_streams() {
  auto [a, b] = raw_pair(SOCK_STREAM);
  return {Netfd(st_netfd_open_socket(a.release())), Netfd(st_netfd_open_socket(b.release()))};
}

Ends tcp() {
  sockaddr_in address;
  const Raw listener = raw_listener(1, &address);
  Raw client = raw_connection(address);
  const int server = accept(listener.fd(), nullptr, nullptr);
  EXPECT_GE(server, 0) << strerror(errno);
  return ends(server, client.release());
}

Ends pipe_to_read() {
  auto [reading, writing] = raw_pipe();
  return ends(reading.release(), writing.release());
}

Ends pipe_to_write() {
  auto [reading, writing] = raw_pipe();
  return ends(writing.release(), reading.release());
}

std::pair<Raw, Raw> raw_pair(int type) {
  int fd[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, type, 0, fd), 0) << strerror(errno);
  return {Raw(fd[0]), Raw(fd[1])};
}

std::pair<Raw, Raw> raw_pipe() {
  int fd[2] = {-1, -1};
  EXPECT_EQ(pipe(fd), 0) << strerror(errno);
  return {Raw(fd[0]), Raw(fd[1])};
}

Raw raw_listener(int backlog, sockaddr_in* address) {
  Raw listener(socket(AF_INET, SOCK_STREAM, 0));
  *address = {};
  address->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(*address);
  EXPECT_EQ(bind(listener.fd(), reinterpret_cast<sockaddr*>(address), size), 0) << strerror(errno);
  EXPECT_EQ(listen(listener.fd(), backlog), 0) << strerror(errno);
  EXPECT_EQ(getsockname(listener.fd(), reinterpret_cast<sockaddr*>(address), &size), 0);
  return listener;
}

Raw raw_connection(const sockaddr_in& address) {
  Raw client(socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(connect(client.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0)
      << strerror(errno);
  return client;
}

void make_buffers_tiny(int fd) {
  const int smallest = 1;  // the kernel makes of it what it allows
  EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &smallest, sizeof(smallest)), 0);
  EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest)), 0);
}

void pass() { EXPECT_EQ(st_usleep(0), 0); }

bool pass_until(const std::function<bool()>& done) {
  const st_utime_t begin = st_utime();
  while (!done()) {
    if (st_utime() - begin > kLong) return false;
    pass();
  }
  return true;
}

std::string read_some(st_netfd_t fd, size_t size, st_utime_t timeout) {
  std::string text(size, '\0');
  const ssize_t got = st_read(fd, text.data(), size, timeout);
  if (got < 0) return error_name(errno);
  text.resize(static_cast<size_t>(got));
  return text;
}

std::string error_name(int error) { return strerrorname_np(error) ? strerrorname_np(error) : "?"; }

std::string open_descriptors() {
  std::set<int> fds;
  DIR* const directory = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(directory))
    if (entry->d_name[0] != '.') fds.insert(atoi(entry->d_name));
  fds.erase(dirfd(directory));
  closedir(directory);
  std::string text;
  for (const int fd : fds) text += std::to_string(fd) + " ";
  return text;
}

size_t resident_bytes() {
  FILE* const file = fopen("/proc/self/statm", "r");
  size_t total = 0;
  size_t resident = 0;
  EXPECT_EQ(fscanf(file, "%zu %zu", &total, &resident), 2);
  fclose(file);
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace st_tests
