// A process that forks while its threads wait: the child has copies of them all, and neither
// disturbs the other.
#include <errno.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "isolated.h"
#include "support.h"

namespace {

using st_tests::Ends;
using st_tests::kLong;
using st_tests::kShort;
using st_tests::Netfd;
using st_tests::pass;
using st_tests::Raw;
using st_tests::read_some;
using st_tests::Thread;

// Runs `body` in a child process, without waiting. Its failures become its exit status.
template <class Body>
pid_t start_child(Body body) {
  fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    body();
    fflush(nullptr);
    _exit(testing::Test::HasFailure());
  }
  return child;
}

void expect_success(pid_t child) {
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "the child has failed, see above; or was killed";
}

template <class Body>
void in_child(Body body) {
  expect_success(start_child(body));
}

// Threads that wait for a pipe and for the time to pass, and a pipe for each process, so that one
// never reads what is meant for the other.
struct Waiting {
  Ends for_parent = st_tests::pipe_to_read();
  Ends for_child = st_tests::pipe_to_read();
  std::string parents, childs;
  bool slept = false;
  Thread parents_reader{[this] { parents = read_some(for_parent.st, 10); }};
  Thread childs_reader{[this] { childs = read_some(for_child.st, 10); }};
  Thread sleeper{[this] { slept = st_usleep(kShort) == 0; }};
  Waiting() { pass(); }
};

ST_TEST(Fork, waiting_threads_go_on_in_both_processes) {
  Waiting waiting;
  in_child([&] {
    waiting.for_child.peer.put("child");
    waiting.childs_reader.join();
    EXPECT_EQ(waiting.childs, "child");
    waiting.sleeper.join();
    EXPECT_TRUE(waiting.slept);
    EXPECT_EQ(waiting.parents, "");
  });
  EXPECT_EQ(waiting.childs, "");
  waiting.for_parent.peer.put("parent");
  waiting.parents_reader.join();
  EXPECT_EQ(waiting.parents, "parent");
  waiting.for_child.peer.put("later");
  waiting.childs_reader.join();
  EXPECT_EQ(waiting.childs, "later");
  waiting.sleeper.join();
  EXPECT_TRUE(waiting.slept);
}

ST_TEST(Fork, inside_a_state_thread) {
  Waiting waiting;
  Thread forking([&] {
    in_child([&] {
      Thread created([&] { waiting.for_child.peer.put("child"); });
      waiting.childs_reader.join();
      EXPECT_EQ(waiting.childs, "child");
    });
  });
  forking.join();
  waiting.for_parent.peer.put("parent");
  waiting.for_child.peer.put("later");
}

ST_TEST(Fork, child_of_a_child) {
  Waiting waiting;
  in_child([&] {
    pass();
    in_child([&] {
      waiting.for_child.peer.put("grandchild");
      waiting.childs_reader.join();
      EXPECT_EQ(waiting.childs, "grandchild");
    });
    waiting.for_child.peer.put("child");
    waiting.childs_reader.join();
    EXPECT_EQ(waiting.childs, "child");
  });
  waiting.for_parent.peer.put("parent");
  waiting.for_child.peer.put("later");
}

ST_TEST(Fork, both_processes_accept_on_one_listener) {
  constexpr int kEach = 20;
  sockaddr_in address;
  const Netfd listener(st_netfd_open_socket(st_tests::raw_listener(64, &address).release()));
  const auto accept_each = [&] {
    for (int i = 0; i < kEach; ++i) {
      const Netfd connection(st_accept(listener, nullptr, nullptr, kLong));
      ASSERT_NE(connection, nullptr) << "after " << i;
      EXPECT_EQ(st_write(connection, "x", 1, kLong), 1);
    }
  };
  bool accepted = false;
  Thread acceptor([&] { accept_each(), accepted = true; });
  pass();
  const pid_t accepting = start_child([&] { acceptor.join(); });
  const pid_t connecting = start_child([&] {
    for (int i = 0; i < 2 * kEach; ++i)
      EXPECT_EQ(st_tests::raw_connection(address).get(1), "x") << "after " << i;
  });
  acceptor.join();
  EXPECT_TRUE(accepted);
  expect_success(connecting);
  expect_success(accepting);
}

// The kernel knows the parent's descriptors by an object that the child has a copy of: what the
// child takes out there would be gone for the parent.
ST_TEST(Fork, descriptor_that_the_child_frees_or_closes_keeps_waking_the_parent) {
  Waiting waiting;
  std::string got;
  Ends freed = st_tests::local_stream();
  Ends closed = st_tests::local_stream();
  {
    Thread a([&] { EXPECT_EQ(read_some(freed.st, 10), "known"); });
    Thread b([&] { EXPECT_EQ(read_some(closed.st, 10), "known"); });
    pass();
    freed.peer.put("known");
    closed.peer.put("known");
  }
  in_child([&] {
    st_netfd_free(freed.st.release());
    EXPECT_EQ(st_netfd_close(closed.st.release()), 0);
  });
  for (Ends* ends : {&freed, &closed}) {
    std::string text;
    Thread reader([&] { text = read_some(ends->st, 10, 1'000'000); });
    pass();
    ends->peer.put("data");
    reader.join();
    EXPECT_EQ(text, "data");
  }
  waiting.for_parent.peer.put("parent");
  waiting.for_child.peer.put("later");
}

// The same for a wait without a wrapper, which takes itself out again when it ends.
ST_TEST(Fork, raw_poll_that_the_child_gives_up_keeps_waking_the_parent) {
  const auto [reading, writing] = st_tests::raw_pipe();
  int ready = -1;
  Thread polling([&, fd = reading.fd()] {
    pollfd entry = {fd, POLLIN, 0};
    ready = st_poll(&entry, 1, 1'000'000);
  });
  pass();
  in_child([&] {
    st_thread_interrupt(polling.handle());
    polling.join();
    EXPECT_EQ(ready, -1);
  });
  writing.put("x");
  polling.join();
  EXPECT_EQ(ready, 1);
}

// Both processes use the same number, each for a descriptor of its own.
ST_TEST(Fork, what_the_child_waits_for_does_not_wake_the_parent) {
  auto [told, telling] = st_tests::raw_pipe();
  auto [end, ending] = st_tests::raw_pipe();
  const pid_t child = start_child([&] {
    const Ends own = st_tests::local_stream();
    ending.close();
    EXPECT_EQ(read_some(own.st, 1, kShort), "ETIME");  // the first thing that it does
    own.peer.put("x");
    telling.put(std::to_string(st_netfd_fileno(own.st)) + "\n");
    end.get(1);  // "x" stays unread until the parent closes the other end
  });
  const Ends own = st_tests::local_stream();
  std::string number;
  while (!number.ends_with('\n')) number += told.get(1);
  EXPECT_EQ(std::to_string(st_netfd_fileno(own.st)) + "\n", number);
  EXPECT_EQ(st_netfd_poll(own.st, POLLIN, kShort), -1);
  EXPECT_EQ(errno, ETIME);
  ending.close();
  expect_success(child);
}

ST_TEST(Fork, child_that_only_exits_leaves_the_parent_alone) {
  Waiting waiting;
  in_child([] {});
  waiting.for_parent.peer.put("parent");
  waiting.for_child.peer.put("later");
  waiting.childs_reader.join();
  EXPECT_EQ(waiting.childs, "later");
}

ST_TEST(Fork, only_a_high_descriptor_is_waited_for) {
  if (st_getfdlimit() <= 1024) GTEST_SKIP() << "this mechanism has no high descriptors";
  Ends low = st_tests::pipe_to_read();
  const int high = 3'000;
  ASSERT_EQ(dup2(st_netfd_fileno(low.st), high), high);
  const Netfd reading(st_netfd_open(high));
  std::string got;
  Thread reader([&] { got = read_some(reading, 10); });
  pass();
  in_child([&] {
    low.peer.put("child");
    reader.join();
    EXPECT_EQ(got, "child");
  });
  low.peer.put("parent");
  reader.join();
  EXPECT_EQ(got, "parent");
}

ST_TEST(Fork, st_init_in_the_child_changes_nothing) {
  Waiting waiting;
  in_child([&] {
    const st_thread_t self = st_thread_self();
    EXPECT_EQ(st_init(), 0);
    EXPECT_EQ(st_thread_self(), self);
    waiting.for_child.peer.put("child");
    waiting.childs_reader.join();
    EXPECT_EQ(waiting.childs, "child");
  });
  waiting.for_parent.peer.put("parent");
  waiting.for_child.peer.put("later");
}

// The helpers that there are, and the desk that finished work comes back to, are the parent's.
ST_PROCESS_TEST(Fork, work_for_helpers_is_the_first_that_the_child_does) {
  ASSERT_EQ(st_init(), 0);
  const auto twice = [] {
    const auto work = [](void* number) -> void* { return static_cast<char*>(number) + 1; };
    void* result = nullptr;
    EXPECT_EQ(st_offload(work, nullptr, &result, kLong), 0) << strerror(errno);
    EXPECT_EQ(result, static_cast<char*>(nullptr) + 1);
  };
  in_child(twice);
  twice();
  in_child(twice);
  in_child([&] {
    EXPECT_EQ(st_offload_limit(1), 16);
    twice();
  });
}

ST_PROCESS_TEST(Fork, work_that_a_helper_does_for_the_parent_is_canceled_in_the_child) {
  static auto [begun, begins] = st_tests::raw_pipe();
  static auto [go, going] = st_tests::raw_pipe();
  ASSERT_EQ(st_init(), 0);
  st_offload_limit(1);  // so that the second is not begun
  int errors[2] = {-1, -1};
  const auto wait_for = [](int* error) {
    const auto work = [](void*) -> void* { return begins.put("x"), go.get(1), nullptr; };
    *error = st_offload(work, nullptr, nullptr, kLong) == 0 ? 0 : errno;
  };
  Thread first([&] { wait_for(&errors[0]); });
  Thread second([&] { wait_for(&errors[1]); });
  pass();
  // Not before: a helper that still starts holds locks of AddressSanitizer's allocator, which a
  // child would find held for ever.
  begun.get(1);
  in_child([&] {
    first.join();
    second.join();
    EXPECT_EQ(errors[0], ECANCELED);
    EXPECT_EQ(errors[1], ECANCELED);
    const auto work = [](void*) -> void* { return nullptr; };
    EXPECT_EQ(st_offload(work, nullptr, nullptr, kLong), 0) << strerror(errno);
  });
  going.put("xx");
  first.join();
  second.join();
  EXPECT_EQ(errors[0], 0);
  EXPECT_EQ(errors[1], 0);
}

ST_PROCESS_TEST(Fork, before_st_init) {
  in_child([] {
    ASSERT_EQ(st_init(), 0);
    Thread([] { st_usleep(1); }).join();
  });
  ASSERT_EQ(st_init(), 0);
  Thread([] { st_usleep(1); }).join();
}

}  // namespace
