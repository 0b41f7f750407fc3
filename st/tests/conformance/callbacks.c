// Switch callbacks. 1.9 does not report a thread's first run, nor its end if it is joinable;
// neither is looked at here.
#include "support.h"

static st_thread_t first;
static st_thread_t second;
static st_thread_t stranger;

// Upper case: switched in. Lower case: switched out. By the identity that the callback sees.
static void write_event(char of_first, char of_second) {
  st_thread_t self = st_thread_self();
  if (self == first) {
    letter(of_first);
  } else if (self == second) {
    letter(of_second);
  } else if (stranger == NULL) {
    stranger = self;
  }
}
static void in(void) { write_event('A', 'B'); }
static void out(void) { write_event('a', 'b'); }
static void star(void) { letter('*'); }

CASE(callbacks, setting_one_returns_the_one_before) {
  CHECK(st_set_switch_in_cb(in) == NULL);
  CHECK(st_set_switch_in_cb(star) == in);
  CHECK(st_set_switch_in_cb(NULL) == star);
  CHECK(st_set_switch_in_cb(NULL) == NULL);
  CHECK(st_set_switch_out_cb(out) == NULL);
  CHECK(st_set_switch_out_cb(star) == out);
  CHECK(st_set_switch_out_cb(NULL) == star);
}

static void watch_switches(void) {
  st_set_switch_in_cb(in);
  st_set_switch_out_cb(out);
}

CASE(callbacks, thread_alone_goes_out_and_comes_in) {
  first = st_thread_self();
  watch_switches();
  pass();
  CHECK_TEXT(letters(), "aA");
  CHECK_EQ(st_usleep(1000), 0);
  CHECK_TEXT(letters(), "aAaA");
}

static st_cond_t cond;

static void* wait_for_ever(void* unused) {
  (void)unused;
  while (st_cond_wait(cond) == 0) continue;
  return NULL;
}

CASE(callbacks, two_threads_take_turns) {
  cond = st_cond_new();
  first = st_thread_self();
  second = spawn(wait_for_ever, NULL);
  pass();
  watch_switches();
  for (int i = 0; i < 2; ++i) {
    CHECK_EQ(st_cond_signal(cond), 0);
    pass();
  }
  CHECK_TEXT(letters(), "aBbAaBbA");
}

CASE(callbacks, nobody_but_the_threads_of_the_program_is_reported) {
  cond = st_cond_new();
  first = st_thread_self();
  second = spawn(wait_for_ever, NULL);
  pass();
  watch_switches();
  for (int i = 0; i < 20; ++i) {
    CHECK_EQ(st_usleep(i % 2 ? 0 : 500), 0);
    CHECK_EQ(st_cond_signal(cond), 0);
  }
  CHECK(stranger == NULL);
}

CASE(callbacks, call_that_does_not_switch_is_not_reported) {
  cond = st_cond_new();
  first = st_thread_self();
  second = spawn(wait_for_ever, NULL);
  st_netfd_t end[2];
  stream_pair(end);
  pass();
  watch_switches();
  CHECK_EQ(st_cond_signal(cond), 0);
  CHECK_TEXT(letters(), "");
  if (event_system_is("io_uring"))
    skip("transfers are queued there, and other threads run meanwhile");
  char byte;
  CHECK_EQ(st_write(end[1], "x", 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(st_read(end[0], &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_TEXT(letters(), "");
}

CASE(callbacks, blocking_read_is_reported_once) {
  if (event_system_is("io_uring")) skip("it is queued first and waits afterwards there");
  first = st_thread_self();
  st_netfd_t end[2];
  stream_pair(end);
  watch_switches();
  char byte;
  CHECK_FAILS(st_read(end[0], &byte, 1, 1000), ETIME);
  CHECK_TEXT(letters(), "aA");
}

CASE(callbacks, either_can_be_used_alone) {
  first = st_thread_self();
  st_set_switch_in_cb(in);
  pass();
  CHECK_TEXT(letters(), "A");
  st_set_switch_in_cb(NULL);
  st_set_switch_out_cb(out);
  pass();
  CHECK_TEXT(letters(), "Aa");
  st_set_switch_out_cb(NULL);
  pass();
  CHECK_TEXT(letters(), "Aa");
}

static void replace_in(void) {
  letter('1');
  st_set_switch_in_cb(star);
}

CASE(callbacks, callback_may_replace_itself) {
  st_set_switch_in_cb(replace_in);
  pass();
  pass();
  CHECK_TEXT(letters(), "1*");
}
