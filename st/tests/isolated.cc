#include "isolated.h"

#include <dirent.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif

#include <cstdio>
#include <cstdlib>
#include <string>

#include "scheduler.h"
#include "st.h"
#include "support.h"

namespace st_tests {
namespace {

// Longer than any test takes under sanitizers on a busy machine: only a test that hangs is killed.
constexpr unsigned kHangsAfterSeconds = 60;
// The exit status of a child whose test was skipped; the one that CTest and Automake use.
constexpr int kSkipped = 77;

// Names a private member for left_behind(): naming it in an explicit instantiation is allowed.
template <auto member>
struct Reveal {
  friend st::TimerHeap& timers_of(st::Scheduler& scheduler) { return scheduler.*member; }
};
st::TimerHeap& timers_of(st::Scheduler& scheduler);
template struct Reveal<&st::Scheduler::timers_>;

void check_nothing_is_left() {
  st_stats_t stats;
  st_stats(&stats, sizeof(stats));
  EXPECT_EQ(stats.threads, 1u) << "threads that the test has started have not ended";
  EXPECT_EQ(stats.runnable, 0u) << "a thread is still in the run queue";
  EXPECT_EQ(stats.stacks - stats.stacks_free, 0u) << "stacks are not given back: not joined?";
  EXPECT_EQ(timers_of(st::scheduler).take_due(st::kNever - 1), nullptr) << "a timer is still armed";
  int waiters = 0;
  st::scheduler.events.each_waited_for([&](int, st::Watch&) { ++waiters; });
  EXPECT_EQ(waiters, 0) << "descriptors that somebody is still registered for";
}

void body_as_first_state_thread(void (*body)()) {
  ASSERT_EQ(st_init(), 0) << strerror(errno);
  const std::string open_before = open_descriptors();
  body();
  check_nothing_is_left();
  EXPECT_EQ(open_descriptors(), open_before) << "open descriptors after and before the test";
}

template <class Body>
void in_child(Body body) {
  fflush(nullptr);
  const pid_t child = fork();
  ASSERT_GE(child, 0) << strerror(errno);
  if (child == 0) {
    alarm(kHangsAfterSeconds);
    body();
    if (testing::Test::IsSkipped()) exit(kSkipped);
    // Through exit and not _exit: leak checkers look at the process then.
    exit(testing::Test::HasFailure() ? EXIT_FAILURE : EXIT_SUCCESS);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child) << strerror(errno);
  if (WIFSIGNALED(status))
    FAIL() << "the test's process was killed: " << strsignal(WTERMSIG(status))
           << (WTERMSIG(status) == SIGALRM ? " (it hung)" : "");
  if (WEXITSTATUS(status) == kSkipped) GTEST_SKIP() << "see above";
  EXPECT_EQ(WEXITSTATUS(status), EXIT_SUCCESS) << "the test's process has failed, see above";
}

}  // namespace

bool sanitized() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#elif defined(__has_feature)
  if (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)) return true;
#endif
  return on_valgrind();
}

bool on_valgrind() {
#ifdef RUNNING_ON_VALGRIND
  return RUNNING_ON_VALGRIND;
#else
  return false;
#endif
}

void run_in_process(void (*body)()) { in_child(body); }

void run_in_state_threads(void (*body)()) {
  in_child([body] { body_as_first_state_thread(body); });
}

}  // namespace st_tests
