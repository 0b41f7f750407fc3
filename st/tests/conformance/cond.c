// Condition variables: first come first served, nothing remembered, busy until every woken thread
// has run.
#include "support.h"

static st_cond_t cond;

static void new_cond(void) {
  cond = st_cond_new();
  CHECK(cond != NULL);
}

struct Waiter {
  char name;
  st_utime_t timeout;
  int result;
  int error;
};

static void* wait_once(void* argument) {
  struct Waiter* one = argument;
  one->result = st_cond_timedwait(cond, one->timeout);
  one->error = errno;
  letter(one->name);
  return NULL;
}

#define WAITER(letter) \
  { letter, ST_UTIME_NO_TIMEOUT, 99, 0 }
#define STILL_WAITING 99

static void check_woken(const struct Waiter* one) { CHECK_EQ(one->result, 0); }
static void check_failed(const struct Waiter* one, int error) {
  CHECK_EQ(one->result, -1);
  CHECK_EQ(one->error, error);
}

CASE(cond, signal_wakes_the_longest_waiting) {
  new_cond();
  struct Waiter one = WAITER('1'), two = WAITER('2'), three = WAITER('3');
  spawn(wait_once, &one), spawn(wait_once, &two), spawn(wait_once, &three);
  pass();
  for (int i = 1; i <= 3; ++i) {
    CHECK_EQ(st_cond_signal(cond), 0);
    pass();
    CHECK_EQ(letters()[i], '\0');
  }
  CHECK_TEXT(letters(), "123");
  check_woken(&one);
}

CASE(cond, two_signals_at_once_wake_two) {
  new_cond();
  struct Waiter one = WAITER('1'), two = WAITER('2'), three = WAITER('3');
  spawn(wait_once, &one), spawn(wait_once, &two), spawn(wait_once, &three);
  pass();
  CHECK_EQ(st_cond_signal(cond), 0);
  CHECK_EQ(st_cond_signal(cond), 0);
  pass();
  CHECK_TEXT(letters(), "12");
  CHECK_EQ(three.result, STILL_WAITING);
}

CASE(cond, broadcast_wakes_all_in_the_order_of_waiting) {
  new_cond();
  struct Waiter one = WAITER('1'), two = WAITER('2'), three = WAITER('3');
  spawn(wait_once, &two), spawn(wait_once, &three), spawn(wait_once, &one);
  pass();
  CHECK_EQ(st_cond_broadcast(cond), 0);
  CHECK_TEXT(letters(), "");
  pass();
  CHECK_TEXT(letters(), "231");
}

CASE(cond, woken_thread_queues_behind_those_that_can_run) {
  static char a[] = "a", b[] = "b";
  new_cond();
  struct Waiter one = WAITER('1');
  spawn(wait_once, &one);
  pass();
  spawn(write_letter, a);
  CHECK_EQ(st_cond_signal(cond), 0);
  spawn(write_letter, b);
  pass();
  CHECK_TEXT(letters(), "a1b");
}

CASE(cond, signal_without_waiter_is_forgotten) {
  new_cond();
  CHECK_EQ(st_cond_signal(cond), 0);
  CHECK_EQ(st_cond_broadcast(cond), 0);
  CHECK_FAILS(st_cond_timedwait(cond, 0), ETIME);
}

static void* signal_once(void* unused) {
  (void)unused;
  CHECK_EQ(st_cond_signal(cond), 0);
  return NULL;
}

CASE(cond, no_wait_sees_a_signal_of_the_same_pass) {
  new_cond();
  spawn(signal_once, NULL);
  CHECK_EQ(st_cond_timedwait(cond, ST_UTIME_NO_WAIT), 0);
}

CASE(cond, endless_timeout_is_a_plain_wait) {
  new_cond();
  spawn(signal_once, NULL);
  CHECK_EQ(st_cond_timedwait(cond, ST_UTIME_NO_TIMEOUT), 0);
  spawn(signal_once, NULL);
  CHECK_EQ(st_cond_wait(cond), 0);
}

static void* sleep_then_signal(void* time) {
  CHECK_EQ(st_usleep(*(st_utime_t*)time), 0);
  return signal_once(NULL);
}

// Both times are over in one pass, and the thread that signals runs before the waiter that timed
// out.
CASE_BEFORE_INIT(cond, signal_skips_a_waiter_whose_time_is_over) {
  start_with_still_clock();
  new_cond();
  struct Waiter one = WAITER('1'), two = WAITER('2');
  one.timeout = 2000;
  st_utime_t earlier = 1000;
  spawn(wait_once, &one), spawn(wait_once, &two), spawn(sleep_then_signal, &earlier);
  pass();
  advance_clock_and_run(5000);
  check_failed(&one, ETIME);
  check_woken(&two);
}

CASE(cond, signal_skips_an_interrupted_waiter) {
  new_cond();
  struct Waiter one = WAITER('1'), two = WAITER('2');
  st_thread_t first = spawn(wait_once, &one);
  spawn(wait_once, &two);
  pass();
  st_thread_interrupt(first);
  CHECK_EQ(st_cond_signal(cond), 0);
  pass();
  check_failed(&one, EINTR);
  check_woken(&two);
  CHECK_TEXT(letters(), "12");
}

CASE(cond, interrupt_after_the_signal_takes_the_signal_with_it) {
  new_cond();
  struct Waiter one = WAITER('1'), two = WAITER('2');
  st_thread_t first = spawn(wait_once, &one);
  spawn(wait_once, &two);
  pass();
  CHECK_EQ(st_cond_signal(cond), 0);
  st_thread_interrupt(first);
  pass();
  check_failed(&one, EINTR);
  CHECK_EQ(two.result, STILL_WAITING);
}

CASE_BEFORE_INIT(cond, signal_comes_before_the_timeout) {
  start_with_still_clock();
  new_cond();
  struct Waiter one = WAITER('1');
  one.timeout = 1000;
  spawn(wait_once, &one);
  pass();
  CHECK_EQ(st_cond_signal(cond), 0);
  advance_clock_and_run(5000);
  check_woken(&one);
}

CASE_BEFORE_INIT(cond, timeout_is_not_early_and_not_forgotten) {
  start_with_still_clock();
  new_cond();
  struct Waiter one = WAITER('1');
  one.timeout = 1000;
  spawn(wait_once, &one);
  pass();
  advance_clock_and_run(999);
  CHECK_TEXT(letters(), "");
  advance_clock_and_run(1);
  CHECK_TEXT(letters(), "1");
  check_failed(&one, ETIME);
}

static void* wait_twice(void* argument) {
  wait_once(argument);
  return wait_once(argument);
}

CASE(cond, waiting_again_means_queuing_again) {
  new_cond();
  struct Waiter one = WAITER('1'), two = WAITER('2');
  spawn(wait_twice, &one), spawn(wait_once, &two);
  pass();
  CHECK_EQ(st_cond_signal(cond), 0);
  pass();
  CHECK_EQ(st_cond_signal(cond), 0);
  pass();
  CHECK_EQ(st_cond_signal(cond), 0);
  pass();
  CHECK_TEXT(letters(), "121");
}

static void* broadcast_after_wait(void* argument) {
  wait_once(argument);
  CHECK_EQ(st_cond_broadcast(cond), 0);
  return wait_once(argument);
}

CASE(cond, broadcast_does_not_reach_those_who_wait_later) {
  new_cond();
  struct Waiter one = WAITER('1'), two = WAITER('2');
  spawn(broadcast_after_wait, &one), spawn(wait_once, &two);
  pass();
  CHECK_EQ(st_cond_signal(cond), 0);
  pass();
  CHECK_TEXT(letters(), "12");
}

CASE(cond, unused_can_be_destroyed) {
  new_cond();
  CHECK_EQ(st_cond_destroy(cond), 0);
}

CASE(cond, waited_for_cannot_be_destroyed_and_stays_good) {
  new_cond();
  struct Waiter one = WAITER('1');
  spawn(wait_once, &one);
  pass();
  CHECK_FAILS(st_cond_destroy(cond), EBUSY);
  CHECK_EQ(st_cond_signal(cond), 0);
  pass();
  check_woken(&one);
  CHECK_EQ(st_cond_destroy(cond), 0);
}

CASE(cond, signalled_waiter_keeps_it_busy_until_it_has_run) {
  new_cond();
  struct Waiter one = WAITER('1');
  spawn(wait_once, &one);
  pass();
  CHECK_EQ(st_cond_broadcast(cond), 0);
  CHECK_FAILS(st_cond_destroy(cond), EBUSY);
  pass();
  CHECK_EQ(st_cond_destroy(cond), 0);
}

CASE(cond, interrupted_waiter_keeps_it_busy_until_it_has_run) {
  new_cond();
  struct Waiter one = WAITER('1');
  st_thread_t waiter = spawn(wait_once, &one);
  pass();
  st_thread_interrupt(waiter);
  CHECK_FAILS(st_cond_destroy(cond), EBUSY);
  pass();
  CHECK_EQ(st_cond_destroy(cond), 0);
}

static void* destroy_at_once(void* time) {
  CHECK_EQ(st_usleep(*(st_utime_t*)time), 0);
  CHECK_FAILS(st_cond_destroy(cond), EBUSY);
  letter('d');
  return NULL;
}

// Both times are over in one pass, and the thread that tries to destroy runs first.
CASE_BEFORE_INIT(cond, timed_out_waiter_keeps_it_busy_until_it_has_run) {
  start_with_still_clock();
  new_cond();
  struct Waiter one = WAITER('1');
  one.timeout = 2000;
  st_utime_t earlier = 1000;
  spawn(wait_once, &one);
  spawn(destroy_at_once, &earlier);
  pass();
  advance_clock_and_run(5000);
  CHECK_TEXT(letters(), "d1");
  CHECK_EQ(st_cond_destroy(cond), 0);
}

static int produced;

static void* consume(void* unused) {
  (void)unused;
  for (int i = 0; i < 1000; ++i) {
    while (produced == 0) CHECK_EQ(st_cond_wait(cond), 0);
    --produced;
  }
  return NULL;
}

CASE(cond, producer_and_consumers_agree) {
  new_cond();
  st_thread_t one = spawn(consume, NULL);
  st_thread_t two = spawn(consume, NULL);
  for (int i = 0; i < 2000; ++i) {
    ++produced;
    CHECK_EQ(st_cond_signal(cond), 0);
    if (i % 7 == 0) pass();
  }
  join(one);
  join(two);
  CHECK_EQ(produced, 0);
}
