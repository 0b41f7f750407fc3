// A program of many threads that does everything at random, beside a model of what must come of it;
// and the same program twice, which must take the same course.
//
// ST_RANDOM_SEED=n repeats a course, ST_RANDOM_STEPS=n makes it shorter or longer.
#include <errno.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cstdio>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "isolated.h"
#include "random_model.h"
#include "support.h"

namespace {

using st_tests::Both;
using st_tests::pass;
using st_tests::Thread;

constexpr int kThreads = 24;
constexpr int kLocks = 4;
constexpr int kConds = 4;
constexpr int kPairs = 4;
constexpr st_utime_t kTimeout = 300;  // in readings of the clock below

// Each reading is a microsecond later than the one before, so that the course of the program
// depends on nothing outside of it.
st_utime_t now = 1;
st_utime_t next_reading() { return ++now; }

// The course of the program in one number (FNV-1a), and how long it was.
struct Outcome {
  uint64_t trace = 14695981039346656037u;
  uint64_t steps = 0;
};

class Program {
 public:
  Program(unsigned seed, int steps, Outcome* outcome)
      : random_(seed), steps_each_(steps / kThreads), outcome_(outcome) {
    for (int i = 0; i < kPairs; ++i) {
      pairs_.push_back(st_tests::local_streams());
      st_tests::make_buffers_tiny(st_netfd_fileno(pairs_.back().a));
    }
    for (int i = 0; i < kLocks; ++i) locks_.push_back(st_mutex_new());
    for (int i = 0; i < kConds; ++i) conds_.push_back(st_cond_new());
  }
  ~Program() {
    for (const st_mutex_t lock : locks_) EXPECT_EQ(st_mutex_destroy(lock), 0);
    for (const st_cond_t cond : conds_) EXPECT_EQ(st_cond_destroy(cond), 0);
  }

  void run() {
    for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this, i] { live(i); });
    while (ended_ < kThreads) pass();
    threads_.clear();
    expect_all_bytes_arrived();
    // It has been a test of something.
    EXPECT_GT(model_.eintrs, outcome_->steps / 1'000);
    EXPECT_GT(model_.handed_over, outcome_->steps / 100);
    EXPECT_GT(model_.signalled, outcome_->steps / 1'000);
    EXPECT_GT(model_.timeouts, outcome_->steps / 1'000);
    EXPECT_GT(children_, outcome_->steps / 100);
    EXPECT_GT(received_[0], outcome_->steps / 1'000);
  }

 private:
  int any(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }

  void live(int me) {
    model_.has_started(me);
    for (int step = 0; step < steps_each_ && !testing::Test::HasFailure(); ++step) {
      const int action = any(12);
      ++outcome_->steps;
      note(me, action);
      switch (action) {
        case 0:
        case 1:
        case 2:
          use_lock(me, any(kLocks));
          break;
        case 3:
          wait_for_cond(me, any(kConds));
          break;
        case 4:
          tell_cond(any(kConds));
          break;
        case 5:
        case 6:
          sleep(me, static_cast<st_utime_t>(any(3)) * 10);
          break;
        case 7:
          st_thread_yield();
          break;
        case 8:
          if (any(4) == 0) interrupt(any(kThreads));
          break;
        case 9:
          send(me, any(kPairs));
          break;
        case 10:
          receive(me, any(kPairs));
          break;
        case 11:
          raise_child(me);
          break;
      }
    }
    ++ended_;
  }

  void use_lock(int me, int lock) {
    model_.asks_for_lock(me, lock);
    if (st_mutex_lock(locks_[lock]) != 0) {
      note(me, errno);
      model_.did_not_get_lock(me, lock);
      return;
    }
    model_.got_lock(me, lock);
    for (int i = any(3); i > 0; --i) st_thread_yield();
    model_.expect_holds(me, lock);
    model_.gives_lock_back(lock);
    EXPECT_EQ(st_mutex_unlock(locks_[lock]), 0);
  }

  void wait_for_cond(int me, int cond) {
    const st_utime_t begin = st_utime();
    const auto timeout = static_cast<st_utime_t>(any(kTimeout));
    model_.waits(me, cond);
    const int result = st_cond_timedwait(conds_[cond], timeout);
    model_.waited(me, cond, result, begin, timeout);
    note_result(me, result);
  }

  void tell_cond(int cond) {
    if (any(8) == 0) {
      model_.broadcasts(cond);
      st_cond_broadcast(conds_[cond]);
    } else {
      model_.signals(cond);
      st_cond_signal(conds_[cond]);
    }
  }

  void sleep(int me, st_utime_t time) {
    const st_utime_t begin = st_utime();
    const int result = st_usleep(time);
    model_.sleeps(me, result, begin, time);
    note_result(me, result);
  }

  void interrupt(int target) {
    if (threads_[static_cast<size_t>(target)].handle()->state == st::State::zombie) return;
    model_.interrupts(target);
    st_thread_interrupt(threads_[static_cast<size_t>(target)].handle());
  }

  // Each pair carries a sequence of numbers; many threads send and receive on it.
  void send(int me, int pair) {
    if (any(8) == 0) {
      pollfd room = {st_netfd_fileno(pairs_[pair].a), POLLOUT, 0};
      const st_utime_t begin = st_utime();
      const int ready = st_poll(&room, 1, kTimeout);
      model_.transfers(me, ready, begin, kTimeout);
      note_result(me, ready);
    }
    const auto byte = static_cast<unsigned char>(sent_[pair]);
    if (::write(st_netfd_fileno(pairs_[pair].a), &byte, 1) == 1) ++sent_[pair];
  }
  // One at a time: in which order two readers of one descriptor see their data is not promised.
  void receive(int me, int pair) {
    if (std::exchange(being_read_[pair], true)) return;
    const st_utime_t begin = st_utime();
    const int got = receive_some(pair, kTimeout);
    being_read_[pair] = false;
    model_.transfers(me, got, begin, kTimeout);
    note_result(me, got);
  }
  int receive_some(int pair, st_utime_t timeout) {
    unsigned char bytes[7];
    const auto got = static_cast<int>(st_read(pairs_[pair].b, bytes, sizeof(bytes), timeout));
    for (int i = 0; i < got; ++i)
      EXPECT_EQ(bytes[i], static_cast<unsigned char>(received_[pair]++)) << "another byte is next";
    return got;
  }
  void expect_all_bytes_arrived() {
    for (int pair = 0; pair < kPairs; ++pair) {
      while (receive_some(pair, ST_UTIME_NO_WAIT) > 0) {
      }
      EXPECT_EQ(received_[pair], sent_[pair]);
    }
  }

  // Threads begin in the order in which they were created, and bring their value.
  void raise_child(int me) {
    const uint64_t number = children_++;
    Program* const program = this;
    struct Child {
      Program* program;
      uint64_t number;
    } child = {program, number};
    const auto grow_up = [](void* argument) -> void* {
      auto* const self = static_cast<Child*>(argument);
      EXPECT_EQ(self->program->begun_++, self->number) << "another child is next";
      for (uint64_t i = self->number % 3; i > 0; --i) st_thread_yield();
      return &self->number;
    };
    const st_thread_t thread = st_thread_create(grow_up, &child, 1, 64 * 1024);
    void* value = nullptr;
    int result;
    while ((result = st_thread_join(thread, &value)) != 0) {
      ASSERT_EQ(errno, EINTR);
      model_.expect_eintr_told(me, result);
      note_result(me, result);
    }
    EXPECT_EQ(value, &child.number);
  }

  void note(int me, int what) {
    outcome_->trace = (outcome_->trace ^ static_cast<unsigned>(me * 4096 + what)) * 1099511628211u;
  }
  void note_result(int me, int result) { note(me, result >= 0 ? result : errno + 100); }

  std::mt19937 random_;
  const int steps_each_;
  Outcome* outcome_;
  st_tests::Model model_{kThreads, kLocks, kConds};
  std::vector<Thread> threads_;
  std::vector<st_mutex_t> locks_;
  std::vector<st_cond_t> conds_;
  std::vector<Both> pairs_;
  uint64_t sent_[kPairs] = {};
  uint64_t received_[kPairs] = {};
  bool being_read_[kPairs] = {};
  uint64_t children_ = 0, begun_ = 0;
  int ended_ = 0;
};

// Where the process of the test leaves what it has found out, for the parent to compare.
Outcome* shared;
unsigned seed;
int steps;

Outcome course() {
  shared = static_cast<Outcome*>(
      mmap(nullptr, sizeof(Outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  new (shared) Outcome;
  // Before st_init(), which run_in_state_threads() calls in the child.
  st_set_utime_function(next_reading);
  st_tests::run_in_state_threads([] { Program(seed, steps, shared).run(); });
  st_set_utime_function(nullptr);
  const Outcome outcome = *shared;
  munmap(shared, sizeof(Outcome));
  return outcome;
}

int from_environment(const char* name, int otherwise) {
  const char* const text = getenv(name);
  return text ? atoi(text) : otherwise;
}

TEST(RandomProgram, keeps_all_promises_and_takes_the_same_course_twice) {
  const int fresh = static_cast<int>(std::random_device()() >> 1);
  seed = static_cast<unsigned>(from_environment("ST_RANDOM_SEED", fresh));
  steps = from_environment("ST_RANDOM_STEPS", st_tests::on_valgrind() ? 50'000 : 1'000'000);
  printf("to repeat: ST_RANDOM_SEED=%u ST_RANDOM_STEPS=%d\n", seed, steps);
  const Outcome first = course();
  const Outcome second = course();
  EXPECT_EQ(first.trace, second.trace);
  EXPECT_GE(first.steps, static_cast<uint64_t>(steps - kThreads));
  ++seed;
  steps /= 10;
  EXPECT_NE(course().trace, first.trace);
}

}  // namespace
