// Internal to st's tests: what must hold of locks, conditions, interrupts and timeouts, said again
// in the simplest way, beside the library.
//
// A program tells the model what it is about to do and what came of it; the model knows what may
// come of it. That a thread's wait has been ended already, by a timeout or an interrupt, is the one
// thing that it asks the library for.
#pragma once

#include <errno.h>
#include <gtest/gtest.h>

#include <deque>
#include <utility>
#include <vector>

#include "st.h"
#include "thread.h"

namespace st_tests {

class Model {
 public:
  Model(int threads, int locks, int conds)
      : handles_(threads), interrupted_(threads), told_(threads), locks_(locks), conds_(conds) {}

  void has_started(int me) { handles_[me] = st_thread_self(); }

  // Interrupts: remembered until a call has said EINTR, which it says for no other reason.
  void interrupts(int target) { interrupted_[target] = true; }
  void expect_eintr_told(int me, int result) {
    if (result >= 0 || errno != EINTR) return;
    EXPECT_TRUE(std::exchange(interrupted_[me], false)) << "EINTR that nobody caused";
    ++eintrs;
  }

  // Sleeps: not shorter than asked for, and an interrupt is told whatever else has happened.
  void sleeps(int me, int result, st_utime_t begin, st_utime_t time) {
    const bool must_tell = interrupted_[me];
    EXPECT_EQ(result, must_tell ? -1 : 0);
    if (result == 0) {
      EXPECT_GE(st_utime(), begin + time) << "slept too little";
    }
    expect_eintr_told(me, result);
  }

  // Transfers and polls: a timeout comes in time, an interrupt for a reason.
  void transfers(int me, ssize_t result, st_utime_t begin, st_utime_t timeout) {
    if (result < 0 && errno == ETIME) {
      EXPECT_GE(st_utime(), begin + timeout) << "timed out too early";
    }
    expect_eintr_told(me, static_cast<int>(result));
  }

  // Locks: held by one at a time, handed over in the order of asking, past those who were
  // interrupted meanwhile.
  void asks_for_lock(int me, int lock) {
    asked_while_free_ = locks_[lock].owner < 0;
    if (!asked_while_free_) locks_[lock].waiting.push_back(me);
  }
  // Nothing runs between asking for a free lock and having it, so one flag is enough.
  void got_lock(int me, int lock) {
    Lock& it = locks_[lock];
    if (it.owner < 0 && asked_while_free_) it.owner = me;
    EXPECT_EQ(it.owner, me) << "the lock went to somebody who was not the next";
  }
  void did_not_get_lock(int me, int lock) {
    EXPECT_NE(locks_[lock].owner, me) << "it was handed over, and denied";
    std::erase(locks_[lock].waiting, me);
    expect_eintr_told(me, -1);
  }
  void expect_holds(int me, int lock) const { EXPECT_EQ(locks_[lock].owner, me); }
  void gives_lock_back(int lock) {
    locks_[lock].owner = next_asleep(&locks_[lock].waiting);
    handed_over += locks_[lock].owner >= 0;
  }

  // Conditions: a signal wakes the one that has waited longest of those who still sleep; nobody
  // else wakes without a timeout or an interrupt.
  void waits(int me, int cond) {
    told_[me] = false;
    conds_[cond].push_back(me);
  }
  void signals(int cond) {
    if (const int woken = next_asleep(&conds_[cond]); woken >= 0) told_[woken] = true;
  }
  void broadcasts(int cond) {
    for (int woken; (woken = next_asleep(&conds_[cond])) >= 0;) told_[woken] = true;
  }
  void waited(int me, int cond, int result, st_utime_t begin, st_utime_t timeout) {
    std::erase(conds_[cond], me);
    if (interrupted_[me]) {
      EXPECT_EQ(result, -1);
      EXPECT_EQ(errno, EINTR) << "an interrupt wins over all";
    } else if (told_[me]) {
      EXPECT_EQ(result, 0) << "it was signalled";
      ++signalled;
    } else {
      EXPECT_EQ(result, -1) << "woken by nobody";
      EXPECT_EQ(errno, ETIME);
      EXPECT_GE(st_utime(), begin + timeout) << "timed out too early";
      ++timeouts;
    }
    expect_eintr_told(me, result);
  }

  // How often that was put to the test.
  uint64_t eintrs = 0, handed_over = 0, signalled = 0, timeouts = 0;

 private:
  // Takes threads out, up to the first that still sleeps; -1 if there is none.
  int next_asleep(std::deque<int>* waiting) const {
    while (!waiting->empty()) {
      const int next = waiting->front();
      waiting->pop_front();
      if (handles_[next]->state != st::State::runnable) return next;
    }
    return -1;
  }

  struct Lock {
    int owner = -1;  // -1: free
    std::deque<int> waiting;
  };

  std::vector<st_thread_t> handles_;
  std::vector<char> interrupted_;  // truth values
  std::vector<char> told_;         // by a signal, since it last began to wait
  std::vector<Lock> locks_;
  std::vector<std::deque<int>> conds_;
  bool asked_while_free_ = false;
};

}  // namespace st_tests
