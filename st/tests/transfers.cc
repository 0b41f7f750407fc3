// Much data through small buffers, and what is known about a transfer that was broken off.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <limits.h>

#include <string>
#include <vector>

#include "isolated.h"
#include "support.h"

namespace {

using st_tests::Both;
using st_tests::Ends;
using st_tests::kLong;
using st_tests::kShort;
using st_tests::Netfd;
using st_tests::pass;
using st_tests::Thread;

// A prime period, so that a lost, repeated or moved piece shows.
std::string pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i % 251);
  return text;
}

std::string read_all(st_netfd_t fd, size_t size) {
  std::string text(size, '\0');
  EXPECT_EQ(st_read_fully(fd, text.data(), size, kLong), static_cast<ssize_t>(size));
  return text;
}

// `size` bytes each way at once, by two writers and two readers.
// A mebibyte where more would take minutes.
size_t a_lot() { return (st_tests::on_valgrind() ? 1u : 16u) << 20; }

void both_ways(const Both& pair, size_t size) {
  const std::string sent = pattern(size);
  const auto writer = [&](st_netfd_t fd) {
    return [&sent, fd] {
      EXPECT_EQ(st_write(fd, sent.data(), sent.size(), kLong), static_cast<ssize_t>(sent.size()));
    };
  };
  const auto reader = [&](st_netfd_t fd) {
    return [&sent, fd] { EXPECT_TRUE(read_all(fd, sent.size()) == sent); };
  };
  Thread a(writer(pair.a)), b(writer(pair.b)), c(reader(pair.a)), d(reader(pair.b));
}

ST_TEST(Transfers, sixteen_mebibytes_both_ways_through_tiny_local_buffers) {
  const Both pair = st_tests::local_streams();
  st_tests::make_buffers_tiny(st_netfd_fileno(pair.a));
  st_tests::make_buffers_tiny(st_netfd_fileno(pair.b));
  both_ways(pair, a_lot());
}

ST_TEST(Transfers, sixteen_mebibytes_both_ways_over_tcp) {
  Ends ends = st_tests::tcp();
  const Both pair = {std::move(ends.st), Netfd(st_netfd_open_socket(ends.peer.release()))};
  both_ways(pair, a_lot());
}

ST_TEST(Transfers, a_mebibyte_through_a_pipe_in_pieces_of_every_size) {
  auto [reading, writing] = st_tests::raw_pipe();
  const Netfd in(st_netfd_open(reading.release()));
  const Netfd out(st_netfd_open(writing.release()));
  const std::string sent = pattern(1 << 20);
  Thread writer([&] {
    for (size_t at = 0, size = 1; at < sent.size(); at += size, size = size * 3 % 9'973) {
      size = std::min(size, sent.size() - at);
      ASSERT_EQ(st_write(out, &sent[at], size, kLong), static_cast<ssize_t>(size));
    }
  });
  EXPECT_TRUE(read_all(in, sent.size()) == sent);
}

// Each piece is one byte of the pattern; the kernel takes at most IOV_MAX of them in one call.
std::vector<iovec> one_byte_pieces(std::string& text) {
  std::vector<iovec> pieces;
  for (char& byte : text) pieces.push_back({&byte, 1});
  return pieces;
}

bool same(const iovec& a, const iovec& b) {
  return a.iov_base == b.iov_base && a.iov_len == b.iov_len;
}

ST_TEST(Transfers, vector_of_more_pieces_than_the_kernel_takes) {
  const Both pair = st_tests::local_streams();
  st_tests::make_buffers_tiny(st_netfd_fileno(pair.a));
  std::string sent = pattern(3 * IOV_MAX + 7);
  const std::vector<iovec> pieces = one_byte_pieces(sent);
  std::vector<iovec> passed = pieces;
  std::string got;
  Thread reader([&] { got = read_all(pair.b, sent.size()); });
  EXPECT_EQ(st_writev(pair.a, passed.data(), static_cast<int>(passed.size()), kLong),
            static_cast<ssize_t>(sent.size()));
  reader.join();
  EXPECT_TRUE(got == sent);
  EXPECT_TRUE(std::equal(passed.begin(), passed.end(), pieces.begin(), same))
      << "vector was changed";
}

ST_TEST(Transfers, empty_pieces_before_and_between_the_others) {
  const Both pair = st_tests::local_streams();
  std::string text = "data";
  std::vector<iovec> pieces(IOV_MAX + 2, iovec{nullptr, 0});
  pieces.push_back({text.data(), 2});
  pieces.push_back({nullptr, 0});
  pieces.push_back({text.data() + 2, 2});
  pieces.push_back({nullptr, 0});
  EXPECT_EQ(st_writev(pair.a, pieces.data(), static_cast<int>(pieces.size()), kLong), 4);
  EXPECT_EQ(st_tests::read_some(pair.b, 10), "data");
}

ST_TEST(Transfers, vectors_that_move_on_by_themselves) {
  const Both pair = st_tests::local_streams();
  st_tests::make_buffers_tiny(st_netfd_fileno(pair.a));
  std::string sent = pattern(5 * IOV_MAX);
  std::string got(sent.size(), '\0');
  std::vector<iovec> from = one_byte_pieces(sent);
  std::vector<iovec> to = one_byte_pieces(got);
  Thread writer([&] {
    iovec* rest = from.data();
    int count = static_cast<int>(from.size());
    EXPECT_EQ(st_writev_resid(pair.a, &rest, &count, kLong), 0);
    EXPECT_EQ(count, 0);
  });
  iovec* rest = to.data();
  int count = static_cast<int>(to.size());
  EXPECT_EQ(st_readv_resid(pair.b, &rest, &count, kLong), 0);
  EXPECT_EQ(count, 0);
  EXPECT_TRUE(got == sent);
}

// What breaks a transfer off: nothing comes any more, or another thread interrupts.
enum class Break { timeout, interrupt };

void resid_tells_what_was_written(Break how) {
  const Ends ends = st_tests::local_stream();
  const std::string much = pattern(4 << 20);
  size_t resid = much.size();
  Thread writer([&] {
    const st_utime_t timeout = how == Break::timeout ? kShort : kLong;
    EXPECT_EQ(st_write_resid(ends.st, much.data(), &resid, timeout), -1);
    EXPECT_EQ(errno, how == Break::timeout ? ETIME : EINTR);
  });
  pass();
  if (how == Break::interrupt) st_thread_interrupt(writer.handle());
  writer.join();
  ASSERT_LT(resid, much.size());
  const size_t written = much.size() - resid;
  EXPECT_TRUE(ends.peer.get(written) == much.substr(0, written));
  ASSERT_EQ(fcntl(ends.peer.fd(), F_SETFL, O_NONBLOCK), 0);
  EXPECT_EQ(ends.peer.get(1), "") << "more was written than was told";
}

void vectors_tell_what_was_read(Break how) {
  const Ends ends = st_tests::local_stream();
  std::string a(4, '.'), b(4, '.'), c(4, '.');
  iovec pieces[] = {{a.data(), 4}, {b.data(), 4}, {c.data(), 4}};
  iovec* rest = pieces;
  int count = 3;
  Thread reader([&] {
    const st_utime_t timeout = how == Break::timeout ? kShort : kLong;
    EXPECT_EQ(st_readv_resid(ends.st, &rest, &count, timeout), -1);
    EXPECT_EQ(errno, how == Break::timeout ? ETIME : EINTR);
  });
  pass();
  ends.peer.put("abc");
  pass();
  ends.peer.put("defg");
  pass();
  if (how == Break::interrupt) st_thread_interrupt(reader.handle());
  reader.join();
  EXPECT_EQ(a + b + c, "abcdefg.....");
  EXPECT_EQ(count, 2);
  ASSERT_EQ(rest, &pieces[1]);
  EXPECT_EQ(rest->iov_base, &b[3]);
  EXPECT_EQ(rest->iov_len, 1u);
  EXPECT_EQ(pieces[0].iov_len, 0u);
}

ST_TEST(Transfers, timed_out_write_tells_how_much_is_left) {
  resid_tells_what_was_written(Break::timeout);
}
ST_TEST(Transfers, interrupted_write_tells_how_much_is_left) {
  resid_tells_what_was_written(Break::interrupt);
}
ST_TEST(Transfers, timed_out_vector_read_tells_how_much_is_left) {
  vectors_tell_what_was_read(Break::timeout);
}
ST_TEST(Transfers, interrupted_vector_read_tells_how_much_is_left) {
  vectors_tell_what_was_read(Break::interrupt);
}

// On a clock that goes on only when it is told to: a busy machine is no excuse.
st_utime_t told_time = 1;

ST_PROCESS_TEST(Transfers, progress_starts_the_timeout_again) {
  st_set_utime_function([] { return told_time; });
  ASSERT_EQ(st_init(), 0);
  Ends ends = st_tests::local_stream();
  std::string got;
  Thread reader([&] {
    got.resize(5);
    EXPECT_EQ(st_read_fully(ends.st, got.data(), got.size(), 1'000), 5);
    EXPECT_EQ(st_read(ends.st, got.data(), 1, 1'000), -1);
    EXPECT_EQ(st_tests::error_name(errno), "ETIME");
  });
  for (const char* byte : {"a", "b", "c", "d", "e", ""}) {
    st_tests::pass();
    told_time += 900;
    ends.peer.put(byte);
  }
  st_tests::pass();
  told_time += 900;
  reader.join();
  EXPECT_EQ(got, "abcde");
}

}  // namespace
