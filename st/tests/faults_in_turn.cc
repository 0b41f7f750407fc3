// A program that does a little of everything, in which every call of every kind fails once: it must
// be told the error that happened or not notice it, and leave nothing behind.
#include <errno.h>
#include <gtest/gtest.h>
#ifdef ST_HAVE_IO_URING
#include <liburing.h>
#endif
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "isolated.h"
#include "support.h"
#include "wrapped.h"

namespace {

using st_tests::Call;
using st_tests::error_name;
using st_tests::Failing;
using st_tests::kLong;

struct Fault {
  Call call;
  int error;
};
Fault fault;  // the one that the process of a test is about
int skipped;  // calls before it

char byte = 'x';
iovec piece = {&byte, 1};
msghdr message() {
  msghdr it{};
  it.msg_iov = &piece;
  it.msg_iovlen = 1;
  return it;
}

// A failure is allowed, but only with the error that was injected; signals must not be seen at all.
void expect(bool succeeded, const char* what) {
  if (succeeded) return;
  EXPECT_NE(fault.error, EINTR) << what;
  EXPECT_EQ(error_name(errno), error_name(fault.error)) << what;
}

struct Conversation {
  st_netfd_t a, b;
};

void* talk(void* argument) {
  const auto* const with = static_cast<Conversation*>(argument);
  std::vector<iovec> pieces(20, piece);
  const msghdr it = message();
  expect(st_write(with->a, "abc", 3, kLong) == 3, "st_write");
  expect(st_usleep(100) == 0, "st_usleep");
  expect(st_writev(with->a, pieces.data(), 20, kLong) == 20, "st_writev");
  expect(st_sendmsg(with->a, &it, 0, kLong) == 1, "st_sendmsg");
  shutdown(st_netfd_fileno(with->a), SHUT_WR);
  return nullptr;
}

void* listen_to(void* argument) {
  const auto* const with = static_cast<Conversation*>(argument);
  char buffer[10];
  iovec whole = {buffer, sizeof(buffer)};
  msghdr it = message();
  std::vector<pollfd> entries(10, pollfd{st_netfd_fileno(with->b), POLLIN, 0});
  expect(st_poll(entries.data(), 10, kLong) >= 0, "st_poll");
  expect(st_recvmsg(with->b, &it, 0, kLong) >= 0, "st_recvmsg");
  expect(st_readv(with->b, &whole, 1, kLong) >= 0, "st_readv");
  ssize_t got = 1;
  for (int tries = 0; got > 0 || (got < 0 && tries < 3); tries += got < 0)
    expect((got = st_read(with->b, buffer, sizeof(buffer), kLong)) >= 0, "st_read");
  return nullptr;
}

#ifdef ST_HAVE_IO_URING
bool io_uring_is_offered() {
  io_uring ring;
  if (io_uring_queue_init(1, &ring, 0) != 0) return false;
  io_uring_queue_exit(&ring);
  return true;
}
#endif

void a_little_of_everything() {
  int fd[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
  Conversation conversation = {st_netfd_open(fd[0]), st_netfd_open_socket(fd[1])};
  expect(conversation.a && conversation.b, "st_netfd_open");
  const st_cond_t cond = st_cond_new();
  expect(cond != nullptr, "st_cond_new");
  if (conversation.a && conversation.b) {
    const st_thread_t talking = st_thread_create(talk, &conversation, 1, 0);
    expect(talking != nullptr, "st_thread_create");
    const st_thread_t listening =
        talking ? st_thread_create(listen_to, &conversation, 1, 16 * 1024) : nullptr;
    expect(!talking || listening, "st_thread_create");
    if (talking) {
      EXPECT_EQ(st_thread_join(talking, nullptr), 0);
    }
    if (listening) {
      EXPECT_EQ(st_thread_join(listening, nullptr), 0);
    }
  }
  if (cond) {
    EXPECT_EQ(st_cond_timedwait(cond, 100), -1);
    EXPECT_EQ(error_name(errno), "ETIME");
    EXPECT_EQ(st_cond_destroy(cond), 0);
  }
  conversation.a ? st_netfd_close(conversation.a) : close(fd[0]);
  conversation.b ? st_netfd_close(conversation.b) : close(fd[1]);
}

// What can fail in any case; mechanisms add their own.
const std::vector<Fault> common = {
    {Call::calloc, ENOMEM},  {Call::malloc, ENOMEM},  {Call::realloc, ENOMEM},
    {Call::mmap, ENOMEM},    {Call::madvise, EINVAL}, {Call::mprotect, ENOMEM},
    {Call::fcntl, EBADF},    {Call::ioctl, ENOTTY},   {Call::getsockopt, ENOBUFS},
    {Call::read, EINTR},     {Call::read, EIO},       {Call::readv, EINTR},
    {Call::readv, EIO},      {Call::write, EINTR},    {Call::write, ENOSPC},
    {Call::writev, EINTR},   {Call::writev, ENOBUFS}, {Call::recvmsg, EINTR},
    {Call::recvmsg, ENOMEM}, {Call::sendmsg, EINTR},  {Call::sendmsg, ENOBUFS},
};

void in_turn(const char* mechanism, std::vector<Fault> faults) {
  const std::string before = getenv("ST_EVENTSYS") ? getenv("ST_EVENTSYS") : "";
  setenv("ST_EVENTSYS", mechanism, 1);
  faults.insert(faults.end(), common.begin(), common.end());
  // Seen by all the processes.
  static bool* const happened = static_cast<bool*>(
      mmap(nullptr, sizeof(bool), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  for (const Fault& each : faults) {
    fault = each;
    for (skipped = 0, *happened = true; *happened && skipped < 50; ++skipped) {
      SCOPED_TRACE(std::string(name_of(each.call)) + " number " + std::to_string(skipped) +
                   " fails with " + error_name(each.error));
      st_tests::run_in_state_threads([] {
        const Failing failing(fault.call, fault.error, skipped);
        a_little_of_everything();
        *happened = failing.happened();
      });
    }
  }
  setenv("ST_EVENTSYS", before.c_str(), 1);
}

TEST(FaultsInTurn, every_call_of_every_kind_fails_once_with_epoll) {
  in_turn("epoll", {{Call::epoll_ctl, ENOMEM}, {Call::epoll_wait, EINTR}, {Call::syscall, EINTR}});
}

TEST(FaultsInTurn, every_call_of_every_kind_fails_once_with_poll) {
  in_turn("poll", {{Call::ppoll, EINTR}, {Call::ppoll, ENOMEM}});
}

TEST(FaultsInTurn, every_call_of_every_kind_fails_once_with_select) {
  in_turn("select", {{Call::select, EINTR}, {Call::select, ENOMEM}});
}

#ifdef ST_HAVE_IO_URING
TEST(FaultsInTurn, every_call_of_every_kind_fails_once_with_io_uring) {
  if (!io_uring_is_offered()) GTEST_SKIP() << "the kernel does not offer io_uring";
  std::vector<Fault> faults;
  for (const Call call : {Call::io_uring_submit, Call::io_uring_submit_and_get_events,
                          Call::io_uring_submit_and_wait_timeout})
    for (const int error : {EINTR, EAGAIN, EBUSY, ENOMEM}) faults.push_back({call, error});
  in_turn("io_uring", faults);
}
#endif

}  // namespace
