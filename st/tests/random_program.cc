// A program of many threads that does everything at random, checked against what must hold at each
// step; and the same program twice, which must take the same course.
#include <errno.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <deque>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "isolated.h"
#include "support.h"
#include "thread.h"

namespace {

using st_tests::Both;
using st_tests::pass;
using st_tests::Thread;

constexpr int kThreads = 24;
constexpr int kStepsPerThread = 2'500;
constexpr int kLocks = 4;
constexpr int kPairs = 4;
constexpr st_utime_t kTimeout = 300;  // in readings of the clock below

// Each reading is a microsecond later than the one before, so that the course of the program
// depends on nothing outside of it.
st_utime_t now = 1;
st_utime_t next_reading() { return ++now; }

// The course of the program in one number (FNV-1a), and what the test is about.
struct Outcome {
  uint64_t trace = 14695981039346656037u;
  uint64_t steps = 0;
};

class Program {
 public:
  Program(unsigned seed, Outcome* outcome) : random_(seed), outcome_(outcome) {
    for (int i = 0; i < kPairs; ++i) {
      pairs_.push_back(st_tests::local_streams());
      st_tests::make_buffers_tiny(st_netfd_fileno(pairs_.back().a));
    }
    for (int i = 0; i < kLocks; ++i) {
      locks_.push_back({st_mutex_new(), -1, {}});
      conds_.push_back(st_cond_new());
    }
  }
  ~Program() {
    for (const Lock& lock : locks_) EXPECT_EQ(st_mutex_destroy(lock.lock), 0);
    for (const st_cond_t cond : conds_) EXPECT_EQ(st_cond_destroy(cond), 0);
  }

  void run() {
    for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this, i] { live(i); });
    // Nobody waits for ever: whoever waits for a condition is told again and again.
    while (ended_ < kThreads) {
      pass();
      for (const st_cond_t cond : conds_) st_cond_broadcast(cond);
    }
    threads_.clear();
    EXPECT_LE(eintrs_, interrupts_);
    EXPECT_GT(eintrs_, 0u);
    EXPECT_GT(handed_over_, 100u);
    EXPECT_GT(bytes_, 1'000u);
  }

 private:
  template <class Items>
  auto& any(Items& items) {
    return items[random_() % items.size()];
  }

  struct Lock {
    st_mutex_t lock;
    int owner;                // in the model; -1: free
    std::deque<int> waiting;  // in the model: who must get it next
  };

  void live(int me) {
    for (int step = 0; step < kStepsPerThread && !testing::Test::HasFatalFailure(); ++step) {
      const unsigned action = random_() % 10;
      note(me, action);
      switch (action) {
        case 0:
        case 1:
        case 2:
          use_lock(me);
          break;
        case 3:
          note_result(me, st_cond_timedwait(any(conds_), kTimeout));
          break;
        case 4:
          st_cond_signal(any(conds_));
          break;
        case 5:
          note_result(me, st_usleep(random_() % 3 * 10));
          break;
        case 6:
          st_thread_yield();
          break;
        case 7:
          if (random_() % 4 == 0) interrupt_somebody();
          break;
        case 8:
          send(me, static_cast<int>(random_() % kPairs));
          break;
        case 9:
          receive(me, static_cast<int>(random_() % kPairs));
          break;
      }
    }
    ++ended_;
  }

  // Locks are handed over in the order in which they were asked for, and held by one at a time.
  void use_lock(int me) {
    Lock& lock = any(locks_);
    const bool was_free = lock.owner < 0;
    if (!was_free) lock.waiting.push_back(me);
    if (st_mutex_lock(lock.lock) != 0) {
      note_result(me, -1);
      std::erase(lock.waiting, me);
      return;
    }
    if (was_free) {
      ASSERT_EQ(lock.owner, -1);
      lock.owner = me;
    }
    ASSERT_EQ(lock.owner, me) << "the lock went to somebody who was not the next";
    for (unsigned i = random_() % 3; i > 0; --i) st_thread_yield();
    ASSERT_EQ(lock.owner, me) << "two threads in one lock";
    unlock(lock);
  }

  // Decides in the model who is next: the first one who waits and was not interrupted meanwhile.
  void unlock(Lock& lock) {
    lock.owner = -1;
    while (!lock.waiting.empty()) {
      const int next = lock.waiting.front();
      lock.waiting.pop_front();
      if (interrupted_in_lock(next)) continue;
      lock.owner = next;
      ++handed_over_;
      break;
    }
    ASSERT_EQ(st_mutex_unlock(lock.lock), 0);
  }
  bool interrupted_in_lock(int thread) const {
    return threads_[static_cast<size_t>(thread)].handle()->state == st::State::runnable;
  }

  void interrupt_somebody() {
    ++interrupts_;
    st_thread_interrupt(any(threads_).handle());
  }

  // Each pair carries a sequence of numbers; many threads send and receive on it.
  void send(int me, int pair) {
    pollfd room = {st_netfd_fileno(pairs_[pair].a), POLLOUT, 0};
    if (random_() % 8 == 0) note_result(me, st_poll(&room, 1, kTimeout));
    const auto byte = static_cast<unsigned char>(sent_[pair]);
    const ssize_t put = ::write(st_netfd_fileno(pairs_[pair].a), &byte, 1);
    if (put == 1) ++sent_[pair];
  }
  // One at a time: in which order two readers of one descriptor see their data is not promised.
  void receive(int me, int pair) {
    if (std::exchange(being_read_[pair], true)) return;
    receive_alone(me, pair);
    being_read_[pair] = false;
  }
  void receive_alone(int me, int pair) {
    unsigned char bytes[7];
    const ssize_t got = st_read(pairs_[pair].b, bytes, sizeof(bytes), kTimeout);
    note_result(me, static_cast<int>(got));
    for (ssize_t i = 0; i < got; ++i, ++bytes_)
      ASSERT_EQ(bytes[i], static_cast<unsigned char>(received_[pair]++));
  }

  void note(int me, unsigned what) {
    ++outcome_->steps;
    outcome_->trace = (outcome_->trace ^ (static_cast<unsigned>(me) * 16 + what)) * 1099511628211u;
  }
  void note_result(int me, int result) {
    note(me, result >= 0 ? static_cast<unsigned>(result) : static_cast<unsigned>(errno) + 100);
    if (result < 0 && errno == EINTR) ++eintrs_;
  }

  std::mt19937 random_;
  Outcome* outcome_;
  std::vector<Thread> threads_;
  std::vector<Lock> locks_;
  std::vector<st_cond_t> conds_;
  std::vector<Both> pairs_;
  uint64_t sent_[kPairs] = {};
  uint64_t received_[kPairs] = {};
  bool being_read_[kPairs] = {};
  int ended_ = 0;
  uint64_t interrupts_ = 0, eintrs_ = 0, handed_over_ = 0, bytes_ = 0;
};

// Where the process of the test leaves what it has found out, for the parent to compare.
Outcome* shared;
unsigned seed;

Outcome course_of(unsigned with_seed) {
  shared = static_cast<Outcome*>(
      mmap(nullptr, sizeof(Outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  new (shared) Outcome;
  seed = with_seed;
  // Before st_init(), which run_in_state_threads() calls in the child.
  st_set_utime_function(next_reading);
  st_tests::run_in_state_threads([] {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Program(seed, shared).run();
  });
  st_set_utime_function(nullptr);
  const Outcome outcome = *shared;
  munmap(shared, sizeof(Outcome));
  return outcome;
}

TEST(RandomProgram, keeps_all_promises_and_takes_the_same_course_twice) {
  uint64_t steps = 0;
  for (const unsigned each : {1u, 2u, 3u, 4u}) {
    const Outcome first = course_of(each);
    const Outcome second = course_of(each);
    EXPECT_EQ(first.trace, second.trace) << "seed " << each;
    steps += first.steps;
  }
  EXPECT_NE(course_of(1).trace, course_of(2).trace);
  EXPECT_GE(steps, 200'000u);
}

}  // namespace
