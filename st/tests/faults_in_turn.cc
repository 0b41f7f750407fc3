// A program that does a little of everything, in which every call of every kind fails once: it must
// be told the error that happened or not notice it, and leave nothing behind.
#include <errno.h>
#include <gtest/gtest.h>
#include <poll.h>
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

TEST(FaultsInTurn, every_call_of_every_kind_fails_once) {
  const Fault faults[] = {
      {Call::calloc, ENOMEM},    {Call::malloc, ENOMEM},  {Call::realloc, ENOMEM},
      {Call::mmap, ENOMEM},      {Call::madvise, EINVAL}, {Call::mprotect, ENOMEM},
      {Call::fcntl, EBADF},      {Call::ioctl, ENOTTY},   {Call::epoll_ctl, ENOMEM},
      {Call::epoll_wait, EINTR}, {Call::syscall, EINTR},  {Call::getsockopt, ENOBUFS},
      {Call::read, EINTR},       {Call::read, EIO},       {Call::readv, EINTR},
      {Call::readv, EIO},        {Call::write, EINTR},    {Call::write, ENOSPC},
      {Call::writev, EINTR},     {Call::writev, ENOBUFS}, {Call::recvmsg, EINTR},
      {Call::recvmsg, ENOMEM},   {Call::sendmsg, EINTR},  {Call::sendmsg, ENOBUFS},
  };
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
}

}  // namespace
