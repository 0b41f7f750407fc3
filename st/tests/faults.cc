// What the library says and leaves behind when the system refuses something. Each case names the
// call that fails.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
using st_tests::kShort;
using st_tests::Netfd;
using st_tests::open_descriptors;
using st_tests::pass;
using st_tests::Raw;
using st_tests::read_some;
using st_tests::Thread;

void* end_at_once(void*) { return nullptr; }

struct Fault {
  Call call;
  int error;
};
Fault fault;  // the one that the process of a test is about

// Runs `body`, or `body` as a state thread, in a process for each of the faults.
template <class Run>
void for_each(std::initializer_list<Fault> faults, Run run, void (*body)()) {
  for (const Fault& each : faults) {
    SCOPED_TRACE(std::string(name_of(each.call)) + " fails with " + error_name(each.error));
    fault = each;
    run(body);
  }
}

TEST(Faults, st_init_reports_what_failed_and_can_be_tried_again) {
  for_each({{Call::sigaction, EINVAL},
            {Call::getrlimit, EFAULT},
            {Call::setrlimit, EPERM},
            {Call::aligned_alloc, ENOMEM},
            {Call::malloc, ENOMEM},
            {Call::pthread_atfork, ENOMEM},
            {Call::pthread_key_create, EAGAIN},
            {Call::pthread_setspecific, ENOMEM},
            {Call::epoll_create1, EMFILE}},
           st_tests::run_in_process, [] {
             {
               const Failing failing(fault.call, fault.error);
               EXPECT_EQ(st_init(), -1);
               EXPECT_EQ(error_name(errno), error_name(fault.error));
             }
             EXPECT_EQ(st_init(), 0);
             Thread([] { st_usleep(1); }).join();
             EXPECT_EQ(read_some(st_tests::local_stream().st, 1, kShort), "ETIME");
           });
}

#ifdef ST_HAVE_IO_URING
// What old kernels, sandboxes and a limit on locked memory say.
TEST(Faults, kernel_that_does_not_offer_io_uring) {
  for_each({{Call::io_uring_queue_init_params, ENOSYS},
            {Call::io_uring_queue_init_params, EPERM},
            {Call::io_uring_queue_init_params, ENOMEM}},
           st_tests::run_in_process, [] {
             const Failing failing(fault.call, fault.error);
             setenv("ST_EVENTSYS", "io_uring", 1);
             EXPECT_EQ(st_init(), -1);
             EXPECT_EQ(error_name(errno), error_name(fault.error));
           });
}
#endif

// What names the thread that overflows its stack is a help, not a condition.
TEST(Faults, st_init_works_without_a_stack_for_the_report_of_overflows) {
  for_each({{Call::sigaltstack, ENOMEM}, {Call::mmap, ENOMEM}}, st_tests::run_in_process, [] {
    const Failing failing(fault.call, fault.error);
    EXPECT_EQ(st_init(), 0);
    EXPECT_TRUE(failing.happened() || st_tests::sanitized());
  });
}

TEST(Faults, thread_for_which_there_is_no_memory) {
  for_each({{Call::calloc, ENOMEM},
            {Call::malloc, ENOMEM},
            {Call::mmap, ENOMEM},
            {Call::realloc, ENOMEM}},
           st_tests::run_in_state_threads, [] {
             {
               const Failing failing(fault.call, fault.error);
               EXPECT_EQ(st_thread_create(end_at_once, nullptr, 1, 0), nullptr);
               EXPECT_EQ(error_name(errno), error_name(fault.error));
             }
             const st_thread_t thread = st_thread_create(end_at_once, nullptr, 1, 0);
             ASSERT_NE(thread, nullptr);
             EXPECT_EQ(st_thread_join(thread, nullptr), 0);
           });
}

ST_TEST(Faults, stacks_without_guards_are_stacks) {
  st_stats_t stats;
  {
    // The cheap way to make a guard fails, and the other way works...
    const Failing failing(Call::madvise, EINVAL, 0, 1'000);
    st_thread_join(st_thread_create(end_at_once, nullptr, 1, 0), nullptr);
    EXPECT_TRUE(failing.happened());
    st_stats(&stats, sizeof(stats));
    EXPECT_EQ(stats.stacks_guarded, 1u);
  }
  // ...or fails as well.
  const Failing failing(Call::mprotect, ENOMEM, 0, 1'000);
  st_thread_join(st_thread_create(end_at_once, nullptr, 1, 8192), nullptr);
  EXPECT_TRUE(failing.happened());
  st_stats(&stats, sizeof(stats));
  EXPECT_EQ(stats.stacks, 2u);
  EXPECT_EQ(stats.stacks_guarded, 1u);
}

ST_TEST(Faults, locks_and_bells_for_which_there_is_nothing) {
  {
    const Failing failing(Call::malloc, ENOMEM);
    EXPECT_EQ(st_cond_new(), nullptr);
    EXPECT_EQ(error_name(errno), "ENOMEM");
  }
  {
    const Failing failing(Call::malloc, ENOMEM);
    EXPECT_EQ(st_mutex_new(), nullptr);
    EXPECT_EQ(error_name(errno), "ENOMEM");
  }
  {
    const Failing failing(Call::eventfd, EMFILE);
    EXPECT_EQ(st_bell_new(), nullptr);
    EXPECT_EQ(error_name(errno), "EMFILE");
  }
  const Failing failing(Call::calloc, ENOMEM);
  EXPECT_EQ(st_bell_new(), nullptr);
  EXPECT_EQ(error_name(errno), "ENOMEM");
}

// The state thread that collects what helpers have done stays, so something is left.
ST_PROCESS_TEST(Faults, work_for_which_no_helper_can_be_started) {
  ASSERT_EQ(st_init(), 0);
  const Failing failing(Call::pthread_create, EAGAIN);
  EXPECT_EQ(st_offload(end_at_once, nullptr, nullptr, kLong), -1);
  EXPECT_EQ(error_name(errno), "EAGAIN");
  EXPECT_TRUE(failing.happened());
  EXPECT_EQ(st_offload(end_at_once, nullptr, nullptr, kLong), 0);
}

TEST(Faults, query_for_which_there_is_no_memory) {
  for_each({{Call::calloc, ENOMEM}, {Call::strdup, ENOMEM}}, st_tests::run_in_process, [] {
    ASSERT_EQ(st_init(), 0);
    addrinfo* found = nullptr;
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST;
    {
      const Failing failing(fault.call, fault.error);
      EXPECT_EQ(st_getaddrinfo("127.0.0.1", "80", &hints, &found, kLong), EAI_MEMORY);
      EXPECT_TRUE(failing.happened());
    }
    ASSERT_EQ(st_getaddrinfo("127.0.0.1", nullptr, &hints, &found, kLong), 0);
    freeaddrinfo(found);
  });
}

// Records of descriptors come 256 at a time, one for each number: so many are taken that the next
// descriptor needs memory.
std::vector<Netfd> all_known_numbers() {
  std::vector<Netfd> taken;
  do {
    taken.emplace_back(st_open("/dev/null", O_RDWR, 0));
  } while (st_netfd_fileno(taken.back()) % 256 != 255);
  return taken;
}

TEST(Faults, descriptor_that_cannot_be_wrapped_stays_as_it_was) {
  for_each({{Call::fcntl, EBADF}, {Call::aligned_alloc, ENOMEM}, {Call::realloc, ENOMEM}},
           st_tests::run_in_state_threads, [] {
             const auto [raw, peer] = st_tests::raw_pair(SOCK_STREAM);
             {
               const Failing failing(fault.call, fault.error);
               EXPECT_EQ(st_netfd_open(raw.fd()), nullptr);
               EXPECT_EQ(error_name(errno), error_name(fault.error));
             }
             const st_netfd_t netfd = st_netfd_open(raw.fd());
             ASSERT_NE(netfd, nullptr);
             peer.put("x");
             EXPECT_EQ(read_some(netfd, 1), "x");
             st_netfd_free(netfd);
           });
}

ST_TEST(Faults, descriptor_without_fionbio_is_made_nonblocking_in_the_other_way) {
  auto [raw, peer] = st_tests::raw_pair(SOCK_STREAM);
  const Failing failing(Call::ioctl, ENOTTY);
  const Netfd netfd(st_netfd_open_socket(raw.release()));
  EXPECT_TRUE(failing.happened());
  EXPECT_EQ(read_some(netfd, 1, kShort), "ETIME");
}

ST_TEST(Faults, open_is_repeated_after_a_signal_and_closes_what_it_cannot_wrap) {
  {
    const Failing failing(Call::open, EINTR);
    const Netfd null(st_open("/dev/null", O_RDWR, 0));
    EXPECT_NE(null, nullptr);
    EXPECT_TRUE(failing.happened());
  }
  const std::vector<Netfd> taken = all_known_numbers();
  const std::string before = open_descriptors();
  const Failing failing(Call::aligned_alloc, ENOMEM);
  EXPECT_EQ(st_open("/dev/null", O_RDWR, 0), nullptr);
  EXPECT_EQ(error_name(errno), "ENOMEM");
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Faults, failed_accept_leaves_the_connection_to_the_next_one) {
  for_each(
      {{Call::accept4, EMFILE}, {Call::accept4, ECONNABORTED}}, st_tests::run_in_state_threads, [] {
        sockaddr_in address;
        const Netfd listener(st_netfd_open_socket(st_tests::raw_listener(4, &address).release()));
        EXPECT_EQ(st_accept(listener, nullptr, nullptr, kShort), nullptr);
        const Raw client = st_tests::raw_connection(address);
        pass();
        {
          const Failing failing(fault.call, fault.error);
          EXPECT_EQ(st_accept(listener, nullptr, nullptr, kLong), nullptr);
          EXPECT_EQ(error_name(errno), error_name(fault.error));
        }
        EXPECT_NE(Netfd(st_accept(listener, nullptr, nullptr, kLong)), nullptr);
      });
}

ST_TEST(Faults, accepted_descriptor_that_cannot_be_wrapped_is_closed) {
  sockaddr_in address;
  const Netfd listener(st_netfd_open_socket(st_tests::raw_listener(4, &address).release()));
  const Raw client = st_tests::raw_connection(address);
  const std::vector<Netfd> taken = all_known_numbers();
  const std::string before = open_descriptors();
  const Failing failing(Call::aligned_alloc, ENOMEM);
  EXPECT_EQ(st_accept(listener, nullptr, nullptr, kLong), nullptr);
  EXPECT_EQ(error_name(errno), "ENOMEM");
  EXPECT_EQ(open_descriptors(), before);
}

ST_TEST(Faults, error_of_close_is_passed_on_and_the_descriptor_is_gone) {
  const st_netfd_t netfd = st_tests::local_stream().st.release();
  {
    const Failing failing(Call::close, EIO);
    EXPECT_EQ(st_netfd_close(netfd), -1);
    EXPECT_EQ(error_name(errno), "EIO");
  }
  EXPECT_EQ(st_netfd_close(netfd), -1);
  EXPECT_EQ(error_name(errno), "EBADF");
}

ST_TEST(Faults, connect_goes_on_after_a_signal) {
  sockaddr_in address;
  const Raw listener = st_tests::raw_listener(4, &address);
  const Netfd client(st_netfd_open_socket(socket(AF_INET, SOCK_STREAM, 0)));
  const Failing failing(Call::connect, EINTR);
  EXPECT_EQ(st_connect(client, reinterpret_cast<sockaddr*>(&address), sizeof(address), kLong), 0);
  EXPECT_TRUE(failing.happened());
}

// The kernel refuses to watch one more descriptor.
ST_TEST(Faults, wait_that_cannot_begin_fails_and_leaves_no_waiter) {
  const Ends a = st_tests::local_stream();
  const Ends b = st_tests::local_stream();
  pollfd entries[] = {{st_netfd_fileno(a.st), POLLIN, 0}, {st_netfd_fileno(b.st), POLLIN, 0}};
  for (int before = 0; before < 2; ++before) {
    const Failing failing(Call::epoll_ctl, ENOSPC, before);
    EXPECT_EQ(st_poll(entries, 2, kShort), -1);
    EXPECT_EQ(error_name(errno), "ENOSPC");
  }
  {
    const Failing failing(Call::epoll_ctl, ENOSPC);
    EXPECT_EQ(read_some(b.st, 1, kShort), "ENOSPC");
  }
  b.peer.put("x");
  EXPECT_EQ(st_poll(entries, 2, kLong), 1);
  EXPECT_EQ(read_some(b.st, 1), "x");
}

// Wrapping tells the kernel anew about those who wait for the raw number already.
ST_TEST(Faults, raw_poll_that_cannot_go_on_waiting_ends) {
  auto [fd, peer] = st_tests::raw_pair(SOCK_STREAM);
  int ready = 0;
  Thread polling([&, number = fd.fd()] {
    pollfd entry = {number, POLLIN, 0};
    ready = st_poll(&entry, 1, ST_UTIME_NO_TIMEOUT);
  });
  pass();
  const Failing failing(Call::epoll_ctl, ENOMEM);
  const Netfd netfd(st_netfd_open(fd.release()));
  EXPECT_TRUE(failing.happened());
  polling.join();
  EXPECT_EQ(ready, 1);
}

ST_TEST(Faults, poll_of_many_descriptors_without_memory) {
  const Ends ends = st_tests::local_stream();
  std::vector<pollfd> entries(100, pollfd{st_netfd_fileno(ends.st), POLLIN, 0});
  const Failing failing(Call::malloc, ENOMEM);
  EXPECT_EQ(st_poll(entries.data(), 100, kShort), -1);
  EXPECT_EQ(error_name(errno), "ENOMEM");
  EXPECT_EQ(st_poll(entries.data(), 100, kShort), 0);
}

// Each ends the wait in the kernel; the threads wait on.
TEST(Faults, wait_in_the_kernel_that_ends_without_result) {
  for_each({{Call::syscall, EINTR}, {Call::syscall, ENOSYS}}, st_tests::run_in_state_threads, [] {
    const Failing failing(fault.call, fault.error, 0, 3);
    const st_utime_t begin = st_utime();
    EXPECT_EQ(st_usleep(kShort), 0);
    EXPECT_GE(st_utime() - begin, kShort);
    EXPECT_TRUE(failing.happened());
  });
}

// Containers let epoll_pwait2 fail with either when they do not know it.
TEST(Faults, kernel_without_exact_waits) {
  for_each({{Call::syscall, ENOSYS}, {Call::syscall, EPERM}}, st_tests::run_in_state_threads, [] {
    const Failing failing(fault.call, fault.error, 0, 1'000'000);
    st_stats_t before, after;
    st_stats(&before, sizeof(before));
    const Ends ends = st_tests::local_stream();
    std::string got;
    Thread reader([&] { got = read_some(ends.st, 1, 1'000'000); });
    EXPECT_EQ(st_usleep(kShort), 0);
    ends.peer.put("x");
    reader.join();
    EXPECT_EQ(got, "x");
    st_stats(&after, sizeof(after));
    EXPECT_LT(after.event_looks - before.event_looks, 100u) << "it does not wait but spins";
  });
}

// Forks while a thread waits for a bell, in a process of its own, which ends as its child does.
void fork_when(const Fault& each) {
  st_init();
  const st_bell_t bell = st_bell_new();
  Thread waiting([&] { st_bell_wait(bell, kShort); });
  pass();
  const Failing failing(each.call, each.error);
  if (fork() == 0) alarm(10), st_usleep(1), _exit(0);
  int status = 0;
  wait(&status);
  if (WIFSIGNALED(status)) raise(WTERMSIG(status));
  _exit(0);
}

TEST(Faults, child_that_cannot_wait_for_events_says_so) {
  for (const Fault& each :
       {Fault{Call::epoll_create1, EMFILE}, {Call::eventfd, ENFILE}, {Call::dup3, EBUSY}})
    EXPECT_EXIT(fork_when(each), testing::KilledBySignal(SIGABRT), "after fork")
        << name_of(each.call);
}

}  // namespace
