// Descriptor numbers outlive what they stand for: closed, used again, wrapped twice, copied.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

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
using st_tests::raw_pair;
using st_tests::read_some;
using st_tests::Thread;

constexpr st_utime_t kVeryShort = 1'000;

int poll_raw(int fd, short events, st_utime_t timeout) {
  pollfd entry = {fd, events, 0};
  return st_poll(&entry, 1, timeout);
}

// A local stream whose library side has exactly this number.
Ends local_stream_at(int number) {
  auto [a, b] = raw_pair(SOCK_STREAM);
  Raw peer(fcntl(b.fd(), F_DUPFD, number + 1));
  if (a.fd() != number) {
    EXPECT_EQ(dup2(a.fd(), number), number) << error_name(errno);
    a = Raw(number);
  }
  return {Netfd(st_netfd_open(a.release())), std::move(peer)};
}

void works(const Ends& ends) {
  EXPECT_EQ(read_some(ends.st, 10, kVeryShort), "ETIME");
  std::string got;
  Thread reader([&] { got = read_some(ends.st, 10); });
  pass();
  ends.peer.put("new");
  reader.join();
  EXPECT_EQ(got, "new");
}

// How often events are looked at while nothing happens but a sleep.
unsigned long long looks_while_sleeping() {
  st_stats_t before, after;
  st_stats(&before, sizeof(before));
  st_usleep(kShort);
  st_stats(&after, sizeof(after));
  return after.event_looks - before.event_looks;
}

ST_TEST(DescriptorNumbers, raw_descriptor_closed_and_used_again_between_polls) {
  int number = -1;
  for (int round = 0; round < 20; ++round) {
    const auto [reading, writing] = st_tests::raw_pipe();
    if (round > 0) {
      ASSERT_EQ(reading.fd(), number);
    }
    number = reading.fd();
    EXPECT_EQ(poll_raw(number, POLLIN, kVeryShort), 0);
    writing.put("x");
    EXPECT_EQ(poll_raw(number, POLLIN, kLong), 1);
    EXPECT_EQ(poll_raw(number, POLLIN, kLong), 1);  // what is ready stays ready
  }
}

ST_TEST(DescriptorNumbers, raw_descriptor_that_becomes_ready_while_two_threads_poll_it) {
  const auto [reading, writing] = st_tests::raw_pipe();
  int ready = 0;
  {
    Thread a([&, fd = reading.fd()] { ready += poll_raw(fd, POLLIN, kLong); });
    Thread b([&, fd = reading.fd()] { ready += poll_raw(fd, POLLIN, kLong); });
    Thread impatient([&, fd = reading.fd()] { EXPECT_EQ(poll_raw(fd, POLLIN, kVeryShort), 0); });
    impatient.join();
    writing.put("x");
  }
  EXPECT_EQ(ready, 2);
}

ST_TEST(DescriptorNumbers, wrapped_freed_and_wrapped_again) {
  Ends ends = st_tests::local_stream();
  for (int round = 0; round < 5; ++round) {
    works(ends);
    const int number = st_netfd_fileno(ends.st);
    st_netfd_free(ends.st.release());
    EXPECT_EQ(poll_raw(number, POLLIN, kVeryShort), 0);
    ends.peer.put("x");
    EXPECT_EQ(poll_raw(number, POLLIN, kLong), 1);
    ends.st = Netfd(st_netfd_open(number));
    EXPECT_EQ(read_some(ends.st, 10), "x");
  }
}

ST_TEST(DescriptorNumbers, closed_and_used_again) {
  int number = -1;
  for (int round = 0; round < 20; ++round) {
    const Ends ends = st_tests::local_stream();
    if (round > 0) {
      ASSERT_EQ(st_netfd_fileno(ends.st), number);
    }
    number = st_netfd_fileno(ends.st);
    works(ends);
    ends.peer.put("never read");
  }
}

// The kernel keeps reporting the old connection under the old number.
ST_TEST(DescriptorNumbers, copy_of_the_closed_descriptor_wakes_nobody) {
  Ends old = st_tests::local_stream();
  works(old);
  const int number = st_netfd_fileno(old.st);
  const Raw copy(dup(number));
  old.st.close();
  const Ends fresh = local_stream_at(number);
  old.peer.put("for the copy");
  EXPECT_EQ(st_netfd_poll(fresh.st, POLLIN, kShort), -1);
  EXPECT_EQ(errno, ETIME);
  works(fresh);
}

ST_TEST(DescriptorNumbers, copy_put_back_under_the_old_number) {
  Ends old = st_tests::local_stream();
  works(old);
  const int number = st_netfd_fileno(old.st);
  const Raw copy(dup(number));
  old.st.close();
  ASSERT_EQ(dup2(copy.fd(), number), number);
  old.st = Netfd(st_netfd_open(number));
  works(old);
}

// Two objects for one descriptor: one to read and one to write, say.
ST_TEST(DescriptorNumbers, wrapped_twice_closed_through_one_and_the_other_freed) {
  Ends ends = st_tests::local_stream();
  const int number = st_netfd_fileno(ends.st);
  Netfd other(st_netfd_open(number));
  works(ends);
  ends.st.close();
  st_netfd_free(other.release());
  const Ends fresh = local_stream_at(number);
  works(fresh);
}

ST_TEST(DescriptorNumbers, wrapped_twice_and_the_other_freed_when_the_number_is_in_use_again) {
  Ends ends = st_tests::local_stream();
  const int number = st_netfd_fileno(ends.st);
  Netfd other(st_netfd_open(number));
  works(ends);
  ends.st.close();
  const Ends fresh = local_stream_at(number);
  std::string got;
  Thread reader([&] { got = read_some(fresh.st, 10); });
  pass();
  st_netfd_free(other.release());
  fresh.peer.put("data");
  reader.join();
  EXPECT_EQ(got, "data");
  works(fresh);
  fresh.peer.put("left unread");
  EXPECT_LT(looks_while_sleeping(), 10u) << "it is not known as wrapped any more";
}

ST_TEST(DescriptorNumbers, wrapped_twice_and_one_freed) {
  Ends ends = st_tests::local_stream();
  Netfd other(st_netfd_open(st_netfd_fileno(ends.st)));
  works(ends);
  st_netfd_free(other.release());
  works(ends);
}

// A raw wait is told to the kernel in another way than one on a wrapped descriptor.
ST_TEST(DescriptorNumbers, wrapped_while_a_raw_poll_waits) {
  auto [fd, peer] = raw_pair(SOCK_STREAM);
  const int number = fd.release();
  Thread raw_reader([&] { EXPECT_EQ(poll_raw(number, POLLIN, kLong), 1); });
  pass();
  const Ends ends = {Netfd(st_netfd_open(number)), std::move(peer)};
  EXPECT_EQ(read_some(ends.st, 10, kVeryShort), "ETIME");
  ends.peer.put("x");
  raw_reader.join();
  EXPECT_EQ(read_some(ends.st, 10), "x");
  works(ends);
  ends.peer.put("left unread");
  EXPECT_LT(looks_while_sleeping(), 10u) << "unread data keeps the processor busy";
}

ST_TEST(DescriptorNumbers, wrapped_while_a_raw_poll_waits_for_something_else) {
  auto [fd, peer] = raw_pair(SOCK_STREAM);
  st_tests::make_buffers_tiny(fd.fd());
  const int number = fd.release();
  const Ends ends = {Netfd(st_netfd_open(number)), std::move(peer)};
  const std::string page(4096, 'x');
  ssize_t filled = 0, put;
  while ((put = write(number, page.data(), page.size())) > 0) filled += put;
  st_netfd_free(st_netfd_open(number));
  Thread room([&] { EXPECT_EQ(poll_raw(number, POLLOUT, kLong), 1); });
  pass();
  EXPECT_EQ(read_some(ends.st, 10, kVeryShort), "ETIME");
  ends.peer.get(static_cast<size_t>(filled));
}

ST_TEST(DescriptorNumbers, freed_while_a_raw_poll_waits) {
  Ends ends = st_tests::local_stream();
  works(ends);
  const int number = st_netfd_fileno(ends.st);
  int ready = -1;
  Thread raw_reader([&] { ready = poll_raw(number, POLLIN, 1'000'000); });
  pass();
  st_netfd_free(ends.st.release());
  const Raw fd(number);
  ends.peer.put("x");
  raw_reader.join();
  EXPECT_EQ(ready, 1);
}

ST_TEST(DescriptorNumbers, unread_data_of_a_wrapped_descriptor_costs_nothing) {
  const Ends ends = st_tests::local_stream();
  works(ends);
  ends.peer.put("left unread");
  EXPECT_LT(looks_while_sleeping(), 10u);
}

ST_TEST(DescriptorNumbers, refused_close_leaves_the_descriptor_as_it_was) {
  Ends ends = st_tests::local_stream();
  std::string got;
  Thread reader([&] { got = read_some(ends.st, 10); });
  pass();
  EXPECT_EQ(st_netfd_close(ends.st), -1);
  EXPECT_EQ(errno, EBUSY);
  ends.peer.put("data");
  reader.join();
  EXPECT_EQ(got, "data");
  works(ends);
}

ST_TEST(DescriptorNumbers, high_numbers_work_as_low_ones) {
  const int limit = st_getfdlimit();
  for (const int wanted : {255, 256, 1'000, 5'000, 19'000})
    if (wanted < limit - 1) works(local_stream_at(wanted));
}

}  // namespace
