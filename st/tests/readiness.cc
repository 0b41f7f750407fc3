// Whether a thread that waits for a descriptor learns everything it must, however reports and
// attempts interleave. These are the cases in which a mechanism that reports changes only (epoll,
// edge-triggered), and a library that skips attempts it knows to be in vain, could sleep for ever.
#include <errno.h>
#include <gtest/gtest.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/un.h>

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
using st_tests::read_some;
using st_tests::Thread;

// "" if ready, otherwise the name of the error.
std::string poll(st_netfd_t fd, int how, st_utime_t timeout = kLong) {
  return st_netfd_poll(fd, how, timeout) == 0 ? "" : error_name(errno);
}

void for_each_kind_of_stream(void (*test)(Ends ends)) {
  const std::pair<const char*, Ends (*)()> kinds[] = {
      {"TCP", st_tests::tcp}, {"local", st_tests::local_stream}, {"pipe", st_tests::pipe_to_read}};
  for (const auto& [name, make] : kinds) {
    SCOPED_TRACE(name);
    test(make());
  }
}

// Has a thread wait for the descriptor once, so that the mechanism knows it.
void make_known(Ends& ends) {
  std::string got;
  Thread reader([&] { got = read_some(ends.st, 100); });
  pass();
  ends.peer.put("known");
  reader.join();
  ASSERT_EQ(got, "known");
}

ST_TEST(Readiness, reader_that_waits_gets_data_and_end_that_come_together) {
  for_each_kind_of_stream([](Ends ends) {
    std::string first, second;
    Thread reader([&] {
      first = read_some(ends.st, 100);
      second = read_some(ends.st, 100);
    });
    pass();
    ends.peer.put("data");
    ends.peer.close();
    reader.join();
    EXPECT_EQ(first, "data");
    EXPECT_EQ(second, "");
  });
}

ST_TEST(Readiness, data_and_end_that_came_before_anybody_waited) {
  for_each_kind_of_stream([](Ends ends) {
    ends.peer.put("data");
    ends.peer.close();
    EXPECT_EQ(read_some(ends.st, 100), "data");
    EXPECT_EQ(read_some(ends.st, 100), "");
    EXPECT_EQ(read_some(ends.st, 100), "");
  });
}

ST_TEST(Readiness, data_and_end_that_came_between_two_waits) {
  for_each_kind_of_stream([](Ends ends) {
    make_known(ends);
    ends.peer.put("data");
    ends.peer.close();
    EXPECT_EQ(read_some(ends.st, 100), "data");
    EXPECT_EQ(read_some(ends.st, 100), "");
  });
}

ST_TEST(Readiness, end_that_came_after_a_short_read_and_before_the_next_wait) {
  for_each_kind_of_stream([](Ends ends) {
    make_known(ends);
    ends.peer.put("data");
    EXPECT_EQ(read_some(ends.st, 100), "data");
    ends.peer.close();
    EXPECT_EQ(read_some(ends.st, 100), "");
  });
}

ST_TEST(Readiness, end_that_was_reported_while_nobody_waited) {
  for_each_kind_of_stream([](Ends ends) {
    make_known(ends);
    ends.peer.put("data");
    pass();
    ends.peer.close();
    pass();
    EXPECT_EQ(read_some(ends.st, 100), "data");
    pass();
    EXPECT_EQ(read_some(ends.st, 100), "");
  });
}

ST_TEST(Readiness, data_in_every_position_relative_to_reports) {
  for_each_kind_of_stream([](Ends ends) {
    make_known(ends);
    ends.peer.put("ab");
    EXPECT_EQ(read_some(ends.st, 1), "a");
    pass();  // reported although half of it has been read
    EXPECT_EQ(read_some(ends.st, 100), "b");
    ends.peer.put("cd");
    pass();
    EXPECT_EQ(read_some(ends.st, 1), "c");
    ends.peer.put("e");
    EXPECT_EQ(read_some(ends.st, 100), "de");
    EXPECT_EQ(read_some(ends.st, 100, kShort), "ETIME");
    ends.peer.put("f");
    pass();
    pass();
    EXPECT_EQ(read_some(ends.st, 100), "f");
    EXPECT_EQ(read_some(ends.st, 100, kShort), "ETIME");
  });
}

ST_TEST(Readiness, half_closed_connection_still_takes_data) {
  Ends ends = st_tests::tcp();
  ends.peer.put("question");
  ASSERT_EQ(shutdown(ends.peer.fd(), SHUT_WR), 0);
  EXPECT_EQ(read_some(ends.st, 100), "question");
  EXPECT_EQ(read_some(ends.st, 100), "");
  EXPECT_EQ(st_write(ends.st, "answer", 6, kLong), 6);
  EXPECT_EQ(ends.peer.get(6), "answer");
}

ST_TEST(Readiness, reset_wakes_the_reader) {
  Ends ends = st_tests::tcp();
  std::string got;
  Thread reader([&] { got = read_some(ends.st, 100); });
  pass();
  const linger reset = {1, 0};
  ASSERT_EQ(setsockopt(ends.peer.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
  ends.peer.close();
  reader.join();
  EXPECT_EQ(got, "ECONNRESET");
}

void send_with_urgent_byte(const Ends& ends) {
  ASSERT_EQ(send(ends.peer.fd(), "abc", 3, 0), 3);
  ASSERT_EQ(send(ends.peer.fd(), "!", 1, MSG_OOB), 1);
  ASSERT_EQ(send(ends.peer.fd(), "def", 3, 0), 3);
}

// A read stops at urgent data: it is short, and yet something is left.
ST_TEST(Readiness, urgent_data_between_splits_the_reads) {
  Ends ends = st_tests::tcp();
  send_with_urgent_byte(ends);
  EXPECT_EQ(read_some(ends.st, 100), "abc");
  EXPECT_EQ(read_some(ends.st, 100), "def");
  EXPECT_EQ(read_some(ends.st, 100, kShort), "ETIME");
  ends.peer.put("g");
  EXPECT_EQ(read_some(ends.st, 100), "g");
}

ST_TEST(Readiness, urgent_data_after_waiting_splits_the_reads) {
  Ends ends = st_tests::tcp();
  make_known(ends);
  std::string got;
  Thread reader([&] {
    while (got.size() < 6) got += read_some(ends.st, 100);
  });
  pass();
  send_with_urgent_byte(ends);
  reader.join();
  EXPECT_EQ(got, "abcdef");
}

ST_TEST(Readiness, urgent_data_that_comes_after_the_report_of_other_data) {
  Ends ends = st_tests::tcp();
  make_known(ends);
  ends.peer.put("0");
  pass();
  send_with_urgent_byte(ends);
  EXPECT_EQ(read_some(ends.st, 100), "0abc");
  EXPECT_EQ(read_some(ends.st, 100), "def");
}

ST_TEST(Readiness, urgent_data_stays_ready_until_it_is_taken) {
  Ends ends = st_tests::tcp();
  send_with_urgent_byte(ends);
  EXPECT_EQ(poll(ends.st, POLLPRI), "");
  EXPECT_EQ(poll(ends.st, POLLPRI), "");
  pass();
  EXPECT_EQ(poll(ends.st, POLLPRI), "");
  pollfd entry = {st_netfd_fileno(ends.st), POLLPRI, 0};
  EXPECT_EQ(st_poll(&entry, 1, kLong), 1);
}

ST_TEST(Readiness, reads_of_a_local_socket_stop_where_a_descriptor_was_passed) {
  Ends ends = st_tests::local_stream();
  make_known(ends);
  const Raw passed = st_tests::raw_pipe().first;
  char control[CMSG_SPACE(sizeof(int))] = {};
  iovec piece = {const_cast<char*>("one"), 3};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int fd = passed.fd();
  memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  ASSERT_EQ(sendmsg(ends.peer.fd(), &message, 0), 3);
  ends.peer.put("two");
  EXPECT_EQ(read_some(ends.st, 100), "one");
  EXPECT_EQ(read_some(ends.st, 100), "two");
}

ST_TEST(Readiness, poll_says_ready_as_long_as_something_is_left) {
  for_each_kind_of_stream([](Ends ends) {
    for (const char* text : {"hello", "again"}) {
      ends.peer.put(text);
      EXPECT_EQ(poll(ends.st, POLLIN), "");
      EXPECT_EQ(poll(ends.st, POLLIN), "");
      EXPECT_EQ(read_some(ends.st, 2).size(), 2u);
      EXPECT_EQ(poll(ends.st, POLLIN), "");
      EXPECT_EQ(read_some(ends.st, 3).size(), 3u);
      EXPECT_EQ(poll(ends.st, POLLIN, kShort), "ETIME");
    }
    ends.peer.close();
    EXPECT_EQ(poll(ends.st, POLLIN), "");
    EXPECT_EQ(poll(ends.st, POLLIN), "");
  });
}

ST_TEST(Readiness, poll_sees_what_the_program_left_when_it_read_past_the_library) {
  for_each_kind_of_stream([](Ends ends) {
    make_known(ends);
    ends.peer.put("ab");
    char byte;
    ASSERT_EQ(::read(st_netfd_fileno(ends.st), &byte, 1), 1);
    EXPECT_EQ(poll(ends.st, POLLIN), "");
    ASSERT_EQ(::read(st_netfd_fileno(ends.st), &byte, 1), 1);
    EXPECT_EQ(poll(ends.st, POLLIN, kShort), "ETIME");
    ends.peer.put("c");
    EXPECT_EQ(read_some(ends.st, 1), "c");
  });
}

ST_TEST(Readiness, poll_for_room_follows_the_buffer) {
  Ends ends = st_tests::pipe_to_write();
  EXPECT_EQ(poll(ends.st, POLLOUT), "");
  EXPECT_EQ(poll(ends.st, POLLOUT), "");
  const std::string page(4096, 'x');
  size_t filled = 0;
  while (write(st_netfd_fileno(ends.st), page.data(), page.size()) > 0) filled += page.size();
  EXPECT_EQ(poll(ends.st, POLLOUT, kShort), "ETIME");
  EXPECT_EQ(ends.peer.get(filled).size(), filled);
  EXPECT_EQ(poll(ends.st, POLLOUT), "");
  EXPECT_EQ(st_write(ends.st, "y", 1, kLong), 1);
}

ST_TEST(Readiness, report_for_a_reader_is_not_lost_on_a_writer) {
  st_tests::Ends ends = st_tests::local_stream();
  st_tests::make_buffers_tiny(st_netfd_fileno(ends.st));
  std::string got;
  ssize_t put = 0;
  const std::string large(1 << 20, 'x');
  Thread writer([&] { put = st_write(ends.st, large.data(), large.size(), kLong); });
  Thread reader([&] { got = read_some(ends.st, 10); });
  pass();
  ends.peer.put("data");
  reader.join();
  EXPECT_EQ(got, "data");
  Thread drain([&] {
    size_t drained = 0;
    while (drained < large.size()) {
      char buffer[4096];
      const ssize_t more = recv(ends.peer.fd(), buffer, sizeof(buffer), MSG_DONTWAIT);
      if (more > 0) drained += static_cast<size_t>(more);
      if (more < 0) pass();
    }
  });
  writer.join();
  EXPECT_EQ(put, static_cast<ssize_t>(large.size()));
}

ST_TEST(Readiness, one_report_wakes_all_who_wait) {
  Ends ends = st_tests::local_stream();
  int woken = 0;
  {
    std::vector<Thread> threads;
    for (int i = 0; i < 5; ++i)
      threads.emplace_back([&] { woken += poll(ends.st, POLLIN).empty(); });
    pass();
    ends.peer.put("x");
  }
  EXPECT_EQ(woken, 5);
}

ST_TEST(Readiness, interrupted_and_timed_out_reads_lose_no_data) {
  for_each_kind_of_stream([](Ends ends) {
    make_known(ends);
    std::string first, second;
    Thread reader([&] {
      first = read_some(ends.st, 100);
      second = read_some(ends.st, 100);
    });
    pass();
    ends.peer.put("data");
    st_thread_interrupt(reader.handle());
    reader.join();
    EXPECT_EQ(first, "EINTR");
    EXPECT_EQ(second, "data");

    EXPECT_EQ(read_some(ends.st, 100, kShort), "ETIME");
    ends.peer.put("more");
    EXPECT_EQ(read_some(ends.st, 100, ST_UTIME_NO_WAIT), "more");
  });
}

// More than one system call reports (epoll is asked for 512 at a time), fewer than select can have.
ST_TEST(Readiness, nine_hundred_descriptors_become_ready_at_once) {
  constexpr int kCount = 900;
  std::vector<Netfd> events;
  for (int i = 0; i < kCount; ++i) events.emplace_back(st_netfd_open(eventfd(0, 0)));
  int got = 0;
  {
    std::vector<Thread> readers;
    for (Netfd& event : events)
      readers.emplace_back([&got, &event] {
        uint64_t value = 0;
        got += st_read(event, &value, sizeof(value), kLong) == sizeof(value) && value == 1;
      });
    pass();
    const uint64_t one = 1;
    for (Netfd& event : events) ASSERT_EQ(write(st_netfd_fileno(event), &one, sizeof(one)), 8);
  }
  EXPECT_EQ(got, kCount);
}

// The attempt finds nothing, but not because there is nothing to read.
ST_TEST(Readiness, empty_error_queue_does_not_hide_data) {
  Ends ends = st_tests::tcp();
  make_known(ends);
  ends.peer.put("data");
  pass();
  char byte;
  iovec piece = {&byte, 1};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  EXPECT_EQ(st_recvmsg(ends.st, &message, MSG_ERRQUEUE, ST_UTIME_NO_WAIT), -1);
  EXPECT_EQ(read_some(ends.st, 100, kShort), "data");
}

// A datagram socket that is not connected always has room of its own: what is full is the
// receiver's queue, and nothing is reported when that changes.
ST_TEST(Readiness, sender_waits_for_room_in_the_queue_of_a_local_receiver) {
  constexpr int kMessages = 100;  // a queue holds about ten
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  Netfd receiver(st_netfd_open_socket(socket(AF_UNIX, SOCK_DGRAM, 0)));
  Netfd sender(st_netfd_open_socket(socket(AF_UNIX, SOCK_DGRAM, 0)));
  // Bound to no name, so that the kernel invents one.
  ASSERT_EQ(bind(st_netfd_fileno(receiver), reinterpret_cast<sockaddr*>(&address),
                 sizeof(address.sun_family)),
            0);
  socklen_t size = sizeof(address);
  ASSERT_EQ(getsockname(st_netfd_fileno(receiver), reinterpret_cast<sockaddr*>(&address), &size),
            0);
  int sent = 0;
  Thread sending([&] {
    for (; sent < kMessages; ++sent)
      ASSERT_EQ(st_sendto(sender, "x", 1, reinterpret_cast<sockaddr*>(&address),
                          static_cast<int>(size), 1'000'000),
                1)
          << error_name(errno) << " after " << sent;
  });
  pass();
  EXPECT_LT(sent, kMessages);
  for (int got = 0; got < kMessages; ++got)
    ASSERT_EQ(read_some(receiver, 10, 1'000'000), "x") << "after " << got;
}

}  // namespace
