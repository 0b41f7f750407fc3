// Time: the cached clock, sleeping, the seconds cache, and a clock of the program's own.
#include <signal.h>
#include <time.h>

#include "support.h"

static void burn(st_utime_t microseconds) {
  const st_utime_t start = st_utime();
  while (st_utime() - start < microseconds) continue;
}

CASE(time, cached_clock_stands_still_between_passes) {
  const st_utime_t cached = st_utime_last_clock();
  burn(2000);
  CHECK_EQ(st_utime_last_clock(), cached);
  pass();
  CHECK(st_utime_last_clock() - cached >= 2000);
}

CASE(time, clock_is_never_behind_its_cache) {
  pass();
  CHECK(st_utime() >= st_utime_last_clock());
}

CASE(time, clock_counts_microseconds) {
  struct timespec before, after;
  CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &before), 0);
  const st_utime_t start = st_utime();
  burn(5000);
  const st_utime_t seen = st_utime() - start;
  CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &after), 0);
  const long long outside =
      (after.tv_sec - before.tv_sec) * 1000000LL + (after.tv_nsec - before.tv_nsec) / 1000;
  // The two clocks round differently and may be slewed apart.
  CHECK((long long)seen <= outside + outside / 100 + 10);
}

CASE(time, sleep_is_not_shorter_than_asked_for) {
  pass();
  const st_utime_t before = st_utime_last_clock();
  CHECK_EQ(st_usleep(3000), 0);
  CHECK(st_utime_last_clock() - before >= 3000);
}

CASE(time, sleep_of_nothing_lets_everybody_run) {
  static char a[] = "a", b[] = "b";
  spawn(write_letter, a), spawn(write_letter, b);
  CHECK_EQ(st_usleep(0), 0);
  CHECK_TEXT(letters(), "ab");
  CHECK_EQ(st_sleep(0), 0);
}

static void* read_then_write_letter(void* end) {
  char byte;
  CHECK_EQ(st_read(end, &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
  letter(byte);
  return NULL;
}

CASE(time, sleep_of_nothing_polls_descriptors) {
  st_netfd_t end[2];
  stream_pair(end);
  spawn(read_then_write_letter, end[0]);
  pass();
  put(st_netfd_fileno(end[1]), "r");
  pass();
  pass();
  CHECK_TEXT(letters(), "r");
}

static volatile sig_atomic_t signals_seen;
static void see_signal(__attribute__((unused)) int number) { ++signals_seen; }

CASE(time, unix_signals_do_not_shorten_a_sleep) {
  CHECK(signal(SIGUSR1, see_signal) != SIG_ERR);
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  const struct itimerspec every_millisecond = {{0, 1000000}, {0, 1000000}};
  timer_t timer;
  CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
  CHECK_EQ(timer_settime(timer, 0, &every_millisecond, NULL), 0);
  const st_utime_t before = st_utime_last_clock();
  CHECK_EQ(st_usleep(8000), 0);
  CHECK(st_utime_last_clock() - before >= 8000);
  CHECK(signals_seen > 0);
}

struct Nap {
  char name;
  st_utime_t time;
};

static void* nap(void* argument) {
  struct Nap* one = argument;
  CHECK_EQ(st_usleep(one->time), 0);
  letter(one->name);
  return NULL;
}

static void* nap_for_seconds(void* argument) {
  struct Nap* one = argument;
  CHECK_EQ(st_sleep((int)one->time), 0);
  letter(one->name);
  return NULL;
}

CASE(time, sleepers_wake_in_the_order_of_their_deadlines) {
  struct Nap naps[] = {{'c', 6000}, {'a', 2000}, {'d', 8000}, {'b', 4000}};
  st_thread_t threads[4];
  for (int i = 0; i < 4; ++i) threads[i] = spawn(nap, &naps[i]);
  for (int i = 0; i < 4; ++i) join(threads[i]);
  CHECK_TEXT(letters(), "abcd");
}

CASE_BEFORE_INIT(time, sleepers_whose_time_is_over_at_once_keep_the_order_of_their_deadlines) {
  start_with_still_clock();
  struct Nap naps[] = {{'c', 6000}, {'a', 2000}, {'d', 8000}, {'b', 4000}, {'e', 9000}};
  for (int i = 0; i < 5; ++i) spawn(nap, &naps[i]);
  pass();
  advance_clock_and_run(20000);
  CHECK_TEXT(letters(), "abcde");
}

CASE_BEFORE_INIT(time, sleep_ends_exactly_at_its_deadline) {
  start_with_still_clock();
  struct Nap one = {'n', 5000};
  spawn(nap, &one);
  pass();
  advance_clock_and_run(4999);
  CHECK_TEXT(letters(), "");
  advance_clock_and_run(1);
  CHECK_TEXT(letters(), "n");
}

CASE_BEFORE_INIT(time, sleep_counts_seconds) {
  start_with_still_clock();
  struct Nap one = {'n', 100};
  spawn(nap_for_seconds, &one);
  pass();
  advance_clock_and_run(99999999);
  CHECK_TEXT(letters(), "");
  advance_clock_and_run(1);
  CHECK_TEXT(letters(), "n");
}

static st_utime_t nap_time(int i) { return 1 + (st_utime_t)(i * 7919) % 4001; }

static st_utime_t latest;

static void* nap_in_a_crowd(void* time) {
  const st_utime_t mine = *(st_utime_t*)time;
  CHECK_EQ(st_usleep(mine), 0);
  CHECK(mine >= latest);
  latest = mine;
  return NULL;
}

// 4001 is a prime number, so all deadlines differ.
CASE_BEFORE_INIT(time, thousand_sleepers_wake_in_order) {
  start_with_still_clock();
  static st_utime_t times[1000];
  for (int i = 0; i < 1000; ++i) {
    times[i] = nap_time(i);
    CHECK(st_thread_create(nap_in_a_crowd, &times[i], 0, 0) != NULL);
  }
  pass();
  advance_clock_and_run(5000);
  CHECK(latest > 3000);
}

static void* sleep_until_interrupted(void* name) {
  CHECK_FAILS(st_usleep(1000), EINTR);
  letter(*(char*)name);
  return NULL;
}

CASE_BEFORE_INIT(time, interrupted_sleeper_leaves_no_timer_behind) {
  start_with_still_clock();
  static char i[] = "i";
  struct Nap one = {'n', 2000};
  st_thread_t sleeper = spawn(sleep_until_interrupted, i);
  spawn(nap, &one);
  pass();
  st_thread_interrupt(sleeper);
  pass();
  advance_clock_and_run(1500);
  CHECK_TEXT(letters(), "i");
  advance_clock_and_run(500);
  CHECK_TEXT(letters(), "in");
}

CASE(time, seconds_are_those_of_the_system) {
  const time_t before = time(NULL);
  const time_t seen = st_time();
  CHECK(seen >= before && seen <= time(NULL));
}

CASE(time, seconds_cache_says_what_it_was) {
  CHECK_EQ(st_timecache_set(1), 0);
  CHECK_EQ(st_timecache_set(1), 1);
  CHECK_EQ(st_timecache_set(0), 1);
  CHECK_EQ(st_timecache_set(0), 0);
}

CASE(time, cached_seconds_are_read_when_the_cache_is_turned_on) {
  const time_t before = time(NULL);
  CHECK_EQ(st_timecache_set(1), 0);
  const time_t after = time(NULL);
  CHECK(st_time() >= before && st_time() <= after);
  CHECK_EQ(st_timecache_set(0), 1);
  CHECK(st_time() >= after);
}

CASE_BEFORE_INIT(time, programs_own_clock_is_asked) {
  start_with_still_clock();
  const st_utime_t before = st_utime();
  advance_clock(123);
  CHECK_EQ(st_utime(), before + 123);
  CHECK_EQ(st_utime_last_clock(), before);
  pass();
  CHECK_EQ(st_utime_last_clock(), before + 123);
}

static st_utime_t fixed_clock(void) { return 42; }

CASE_BEFORE_INIT(time, programs_own_clock_can_be_taken_back) {
  CHECK_EQ(st_set_utime_function(fixed_clock), 0);
  CHECK_EQ(st_utime(), 42);
  CHECK_EQ(st_set_utime_function(NULL), 0);
  CHECK(st_utime() != 42);
  start_library();
  CHECK_EQ(st_usleep(1000), 0);
}

CASE(time, programs_own_clock_comes_too_late_after_init) {
  CHECK_FAILS(st_set_utime_function(fixed_clock), EINVAL);
  CHECK_FAILS(st_set_utime_function(NULL), EINVAL);
  CHECK(st_utime() != 42);
}
