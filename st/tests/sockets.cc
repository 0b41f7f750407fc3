// Accepting and connecting, and peers that have gone.
#include <errno.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "isolated.h"
#include "support.h"

namespace {

using st_tests::Ends;
using st_tests::error_name;
using st_tests::kLong;
using st_tests::kShort;
using st_tests::Netfd;
using st_tests::pass;
using st_tests::Raw;
using st_tests::raw_connection;
using st_tests::raw_listener;
using st_tests::Thread;

struct Listener {
  sockaddr_in address;
  Netfd st;
  explicit Listener(int backlog)
      : st(st_netfd_open_socket(raw_listener(backlog, &address).release())) {}
};

Netfd accept_one(const Listener& listener, st_utime_t timeout = kLong) {
  return Netfd(st_accept(listener.st, nullptr, nullptr, timeout));
}

std::string connect_to(st_netfd_t fd, const sockaddr_in& address, st_utime_t timeout = kLong) {
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  return st_connect(fd, to, sizeof(address), timeout) == 0 ? "" : error_name(errno);
}

Netfd new_socket() { return Netfd(st_netfd_open_socket(socket(AF_INET, SOCK_STREAM, 0))); }

ST_TEST(Sockets, several_acceptors_lose_no_connection) {
  constexpr int kBursts = 8;
  constexpr int kInBurst = 60;
  const Listener listener(128);
  int accepted = 0;
  std::vector<Thread> acceptors;
  for (int i = 0; i < 8; ++i)
    acceptors.emplace_back([&] {
      while (accept_one(listener)) ++accepted;
      EXPECT_EQ(errno, EINTR);
    });
  for (int burst = 1; burst <= kBursts; ++burst) {
    std::vector<Raw> clients;
    for (int i = 0; i < kInBurst; ++i) clients.push_back(raw_connection(listener.address));
    ASSERT_TRUE(st_tests::pass_until([&] { return accepted == burst * kInBurst; })) << accepted;
  }
  for (Thread& acceptor : acceptors) st_thread_interrupt(acceptor.handle());
  acceptors.clear();
}

// Each takes one and is then busy otherwise; the last ones came in the same report as the first.
ST_TEST(Sockets, connections_that_came_together_are_taken_one_by_one) {
  const Listener listener(16);
  int accepted = 0;
  std::vector<Thread> acceptors;
  for (int i = 0; i < 3; ++i)
    acceptors.emplace_back([&] { accepted += accept_one(listener) != nullptr; });
  pass();
  std::vector<Raw> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(raw_connection(listener.address));
  acceptors.clear();
  EXPECT_EQ(accepted, 3);
  pass();
  for (int i = 0; i < 3; ++i) EXPECT_NE(accept_one(listener), nullptr);
  EXPECT_EQ(accept_one(listener, kShort), nullptr);
  EXPECT_EQ(errno, ETIME);
}

ST_TEST(Sockets, connection_of_two_state_threads) {
  const Listener listener(1);
  Netfd server;
  Thread acceptor([&] { server = accept_one(listener); });
  const Netfd client = new_socket();
  EXPECT_EQ(connect_to(client, listener.address), "");
  acceptor.join();
  EXPECT_EQ(st_write(client, "hello", 5, kLong), 5);
  EXPECT_EQ(st_tests::read_some(server, 10), "hello");
  EXPECT_EQ(st_write(server, "hi", 2, kLong), 2);
  EXPECT_EQ(st_tests::read_some(client, 10), "hi");
}

ST_TEST(Sockets, refused_connection_and_more_attempts_on_the_same_socket) {
  Raw port(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(port.fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(getsockname(port.fd(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const Netfd client = new_socket();
  EXPECT_EQ(connect_to(client, address), "ECONNREFUSED");
  ASSERT_EQ(listen(port.fd(), 1), 0);
  EXPECT_EQ(connect_to(client, address), "ECONNABORTED");  // Linux puts the socket in order first
  EXPECT_EQ(connect_to(client, address), "");
}

// With its queue full a listener answers nothing: connecting takes for ever.
ST_TEST(Sockets, connection_that_nobody_answers_times_out_or_is_interrupted) {
  sockaddr_in address;
  const Raw listener = raw_listener(0, &address);
  std::vector<Netfd> filling;
  std::string result;
  for (int i = 0; i < 10 && result.empty(); ++i) {
    filling.push_back(new_socket());
    result = connect_to(filling.back(), address, kShort);
  }
  EXPECT_EQ(result, "ETIME");

  const Netfd client = new_socket();
  Thread connecting([&] { result = connect_to(client, address); });
  pass();
  st_thread_interrupt(connecting.handle());
  connecting.join();
  EXPECT_EQ(result, "EINTR");
}

void writes_fail_with_epipe(const Ends& ends) {
  char byte = 'x';
  iovec piece = {&byte, 1};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  EXPECT_EQ(st_write(ends.st, &byte, 1, kLong), -1);
  EXPECT_EQ(errno, EPIPE);
  EXPECT_EQ(st_writev(ends.st, &piece, 1, kLong), -1);
  EXPECT_EQ(errno, EPIPE);
  EXPECT_EQ(st_sendmsg(ends.st, &message, 0, kLong), -1);
  EXPECT_EQ(errno, EPIPE);
}

ST_TEST(Sockets, peer_that_has_gone_is_an_error_and_no_signal) {
  Ends local = st_tests::local_stream();
  local.peer.close();
  writes_fail_with_epipe(local);
  Ends tcp = st_tests::tcp();
  tcp.peer.close();
  EXPECT_EQ(st_write(tcp.st, "x", 1, kLong), 1);  // the answer to this says that nobody is there
  writes_fail_with_epipe(tcp);
}

ST_TEST(Sockets, peer_that_goes_while_a_writer_waits_ends_the_wait) {
  Ends ends = st_tests::local_stream();
  const std::string much(8 << 20, 'x');
  std::string result;
  Thread writer([&] {
    EXPECT_EQ(st_write(ends.st, much.data(), much.size(), kLong), -1);
    result = error_name(errno);
  });
  pass();
  ends.peer.close();
  writer.join();
  // Data that the peer has not read makes it a reset.
  EXPECT_TRUE(result == "EPIPE" || result == "ECONNRESET") << result;
}

}  // namespace
