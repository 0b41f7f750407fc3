// What the calls that transfer make of a system call that fails: signals are not seen, errors are
// passed on once, and the next attempt works.
#include <errno.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "isolated.h"
#include "support.h"
#include "wrapped.h"

namespace {

using st_tests::Call;
using st_tests::Ends;
using st_tests::error_name;
using st_tests::Failing;
using st_tests::kLong;
using st_tests::Netfd;
using st_tests::read_some;

// One transfer in each direction with each of the functions; 1 if it did what it should.
struct Transfer {
  Call call;
  const char* name;
  ssize_t (*run)(const st_tests::Both& pair);
};

char byte = 'x';
iovec piece = {&byte, 1};
msghdr message() {
  msghdr it{};
  it.msg_iov = &piece;
  it.msg_iovlen = 1;
  return it;
}

const Transfer transfers[] = {
    {Call::write, "st_write", [](auto& pair) { return st_write(pair.a, &byte, 1, kLong); }},
    {Call::read, "st_read", [](auto& pair) { return st_read(pair.b, &byte, 1, kLong); }},
    {Call::writev, "st_writev", [](auto& pair) { return st_writev(pair.a, &piece, 1, kLong); }},
    {Call::readv, "st_readv", [](auto& pair) { return st_readv(pair.b, &piece, 1, kLong); }},
    {Call::sendmsg, "st_sendmsg",
     [](auto& pair) -> ssize_t {
       const msghdr it = message();
       return st_sendmsg(pair.a, &it, 0, kLong);
     }},
    {Call::recvmsg, "st_recvmsg",
     [](auto& pair) -> ssize_t {
       msghdr it = message();
       return st_recvmsg(pair.b, &it, 0, kLong);
     }},
    {Call::sendmsg, "st_sendto",
     [](auto& pair) -> ssize_t { return st_sendto(pair.a, &byte, 1, nullptr, 0, kLong); }},
    {Call::recvmsg, "st_recvfrom",
     [](auto& pair) -> ssize_t { return st_recvfrom(pair.b, &byte, 1, nullptr, nullptr, kLong); }},
};

// What st_read() and st_write() are for a descriptor that is known to be a TCP socket.
const Transfer tcp_transfers[] = {
    {Call::send, "st_write over TCP", [](auto& pair) { return st_write(pair.a, &byte, 1, kLong); }},
    {Call::recv, "st_read over TCP", [](auto& pair) { return st_read(pair.b, &byte, 1, kLong); }},
};

// It becomes known by a read that brings less than was asked for.
st_tests::Both known_as_tcp() {
  Ends ends = st_tests::tcp();
  st_tests::Both pair = {std::move(ends.st), Netfd(st_netfd_open_socket(ends.peer.release()))};
  EXPECT_EQ(st_write(pair.a, &byte, 1, kLong), 1);
  EXPECT_EQ(read_some(pair.b, 2), "x");
  EXPECT_EQ(st_write(pair.b, &byte, 1, kLong), 1);
  EXPECT_EQ(read_some(pair.a, 2), "x");
  return pair;
}

void expect_repeated_after_signals(const Transfer& transfer, const st_tests::Both& pair) {
  const Failing failing(transfer.call, EINTR, 0, 3);
  EXPECT_EQ(transfer.run(pair), 1) << transfer.name;
  EXPECT_TRUE(failing.happened()) << transfer.name;
}

ST_TEST(Faults, signals_that_interrupt_a_transfer_are_not_seen) {
  const st_tests::Both local = st_tests::local_streams();
  const st_tests::Both tcp = known_as_tcp();
  for (const Transfer& transfer : transfers) expect_repeated_after_signals(transfer, local);
  for (const Transfer& transfer : tcp_transfers) expect_repeated_after_signals(transfer, tcp);
}

void expect_passed_on(const Transfer& transfer, const st_tests::Both& pair) {
  {
    const Failing failing(transfer.call, EIO);
    EXPECT_EQ(transfer.run(pair), -1) << transfer.name;
    EXPECT_EQ(error_name(errno), "EIO") << transfer.name;
  }
  EXPECT_EQ(transfer.run(pair), 1) << transfer.name;
}

ST_TEST(Faults, errors_of_a_transfer_are_passed_on_and_it_can_be_tried_again) {
  const st_tests::Both local = st_tests::local_streams();
  const st_tests::Both tcp = known_as_tcp();
  for (const Transfer& transfer : transfers) expect_passed_on(transfer, local);
  for (const Transfer& transfer : tcp_transfers) expect_passed_on(transfer, tcp);
}

ST_TEST(Faults, rest_of_a_long_vector_needs_no_memory) {
  const st_tests::Both pair = st_tests::local_streams();
  std::string sent;
  for (char c = 'a'; c < 'a' + 17; ++c) sent += std::string(100'000, c);
  std::vector<iovec> pieces;
  for (size_t at = 0; at < sent.size(); at += 100'000) pieces.push_back({&sent[at], 100'000});
  std::string got;
  st_tests::Thread reader([&] {
    while (got.size() < sent.size()) {
      const std::string more = read_some(pair.b, 30'000);
      if (more.empty() || more.front() < 'a') break;
      got += more;
    }
  });
  const Failing failing(Call::malloc, ENOMEM, 0, 1'000'000);
  EXPECT_EQ(st_writev(pair.a, pieces.data(), 17, kLong), static_cast<ssize_t>(sent.size()));
  reader.join();
  EXPECT_TRUE(got == sent);
  EXPECT_FALSE(failing.happened());
}

}  // namespace
