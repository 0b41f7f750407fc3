// The rules that hold for every blocking call: interrupts, timeouts, and who runs meanwhile.
#include <stdio.h>
#include <stdlib.h>

#include "blocking.h"

struct Attempt {
  const struct BlockingCall* how;
  st_utime_t timeout;
  int result;
  int error;
};

static void* attempt(void* argument) {
  struct Attempt* one = argument;
  errno = 0;
  one->result = one->how->call(one->timeout);
  one->error = errno;
  letter('c');
  return NULL;
}

static char bystander[] = "b";

static void check_interrupted(const struct Attempt* one) {
  CHECK_EQ(one->result, -1);
  CHECK_EQ(one->error, EINTR);
}

static void interrupted_while_blocked(const void* how) {
  struct Attempt one = {how, ST_UTIME_NO_TIMEOUT, 0, 0};
  one.how->arrange();
  st_thread_t caller = spawn(attempt, &one);
  pass();
  CHECK_TEXT(letters(), "");
  st_thread_interrupt(caller);
  CHECK_TEXT(letters(), "");
  join(caller);
  check_interrupted(&one);
}

static void interrupted_before_it_has_run(const void* how) {
  struct Attempt one = {how, ST_UTIME_NO_TIMEOUT, 0, 0};
  one.how->arrange();
  st_thread_t caller = spawn(attempt, &one);
  st_thread_interrupt(caller);
  st_thread_interrupt(caller);  // one bit: the second leaves nothing behind
  join(caller);
  check_interrupted(&one);
}

// Also shows that the report uses the interrupt up, and that somebody else's timer is not
// disturbed.
static void interrupted_by_itself(const void* how) {
  struct Attempt one = {how, ST_UTIME_NO_TIMEOUT, 0, 0};
  one.how->arrange();
  st_thread_interrupt(st_thread_self());
  attempt(&one);
  check_interrupted(&one);
  CHECK_EQ(st_usleep(0), 0);
}

static void times_out(const void* how, st_utime_t timeout) {
  struct Attempt one = {how, timeout, 0, 0};
  one.how->arrange();
  const st_utime_t before = st_utime_last_clock();
  st_thread_t other = spawn(write_letter, bystander);
  attempt(&one);
  CHECK_TEXT(letters(), "bc");
  CHECK_EQ(one.result, one.how->result_of_timeout);
  if (one.result == -1) CHECK_EQ(one.error, ETIME);
  CHECK(st_utime_last_clock() - before >= timeout);
  join(other);
}

static void times_out_later(const void* how) { times_out(how, 3000); }

// A timeout of 0 is one whole pass of the scheduler: everybody who can run does.
static void times_out_after_one_pass(const void* how) { times_out(how, ST_UTIME_NO_WAIT); }

static void resumes_when_possible(const void* how) {
  struct Attempt one = {how, ST_UTIME_NO_TIMEOUT, 0, 0};
  one.how->arrange();
  st_thread_t caller = spawn(attempt, &one);
  pass();
  CHECK_TEXT(letters(), "");
  one.how->release();
  CHECK_TEXT(letters(), "");
  join(caller);
  CHECK(one.result >= 0);
}

static void tries_first(const void* how) {
  struct Attempt one = {how, ST_UTIME_NO_TIMEOUT, 0, 0};
  one.how->arrange();
  one.how->release();
  st_thread_t other = spawn(write_letter, bystander);
  st_thread_interrupt(st_thread_self());
  attempt(&one);
  CHECK_TEXT(letters(), "c");
  CHECK(one.result >= 0);
  CHECK_FAILS(st_usleep(0), EINTR);
  join(other);
}

static void add(const char* rule, const struct BlockingCall* how, CaseBody* body) {
  static char names[8][64][48];  // rules, calls, characters; a name lives as long as the program
  static int used;
  if (used == 8 * 64) abort();
  char* name = names[used / 64][used % 64];
  ++used;
  snprintf(name, sizeof names[0][0], "%s.%s", rule, how->name);
  add_case(name, AFTER_INIT, body, how);
}

__attribute__((constructor)) static void add_all(void) {
  for (int i = 0; i < blocking_call_count; ++i) {
    const struct BlockingCall* how = &blocking_calls[i];
    add("interrupted_while_blocked", how, interrupted_while_blocked);
    add("interrupted_before_it_ran", how, interrupted_before_it_has_run);
    add("interrupted_by_itself", how, interrupted_by_itself);
    if (how->takes_timeout) {
      add("times_out", how, times_out_later);
      add("times_out_after_one_pass", how, times_out_after_one_pass);
    }
    if (how->release != NULL) add("resumes", how, resumes_when_possible);
    if (how->tries_first) add("does_not_switch_when_ready", how, tries_first);
  }
}
