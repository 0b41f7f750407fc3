// The order in which threads run: one queue, first come first served, never pre-empted.
#include "support.h"

static st_cond_t cond;

static void* wait_and_write(void* name) {
  while (st_cond_wait(cond) == 0) letter(*(char*)name);
  return NULL;
}

static char a[] = "a", b[] = "b", c[] = "c";

CASE(schedule, waker_goes_on_until_it_blocks) {
  cond = st_cond_new();
  st_thread_t sleeper = spawn(sleep_until_told, NULL);
  spawn(wait_and_write, a), spawn(wait_and_write, b);
  pass();
  CHECK_EQ(st_cond_broadcast(cond), 0);
  st_thread_interrupt(sleeper);
  CHECK(st_thread_create(write_letter, c, 0, 0) != NULL);
  CHECK_TEXT(letters(), "");
  pass();
  CHECK_TEXT(letters(), "abc");
}

static st_cond_t turn[3];

static void* hand_on(void* number) {
  const int mine = (int)(intptr_t)number;
  for (int round = 0; round < 3; ++round) {
    CHECK_EQ(st_cond_wait(turn[mine]), 0);
    letter((char)('0' + mine));
    CHECK_EQ(st_cond_signal(turn[(mine + 1) % 3]), 0);
  }
  return NULL;
}

CASE(schedule, ring_of_threads_is_deterministic) {
  st_thread_t threads[3];
  for (intptr_t i = 0; i < 3; ++i) {
    turn[i] = st_cond_new();
    threads[i] = spawn(hand_on, (void*)i);
  }
  pass();
  CHECK_EQ(st_cond_signal(turn[0]), 0);
  for (int i = 0; i < 3; ++i) join(threads[i]);
  CHECK_TEXT(letters(), "012012012");
}

static st_mutex_t mutex;

static void* lock_and_write(void* name) {
  CHECK_EQ(st_mutex_lock(mutex), 0);
  letter(*(char*)name);
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  return NULL;
}

CASE(schedule, wake_ups_of_all_kinds_share_one_queue) {
  cond = st_cond_new();
  mutex = st_mutex_new();
  CHECK_EQ(st_mutex_lock(mutex), 0);
  st_thread_t sleeper = spawn(sleep_until_told, NULL);
  spawn(wait_and_write, a);
  spawn(lock_and_write, b);
  pass();
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  spawn(write_letter, c);
  CHECK_EQ(st_cond_signal(cond), 0);
  st_thread_interrupt(sleeper);
  join(sleeper);
  CHECK_TEXT(letters(), "bca");
}

struct Waiter {
  st_netfd_t end;
  st_utime_t timeout;
  char ready;
  char late;
};

static void* poll_and_write(void* argument) {
  struct Waiter* one = argument;
  const int result = st_netfd_poll(one->end, POLLIN, one->timeout);
  letter(result == 0 ? one->ready : one->late);
  return NULL;
}

static void* nap_and_write(void* argument) {
  struct Waiter* one = argument;
  CHECK_EQ(st_usleep(one->timeout), 0);
  letter(one->late);
  return NULL;
}

// A descriptor is ready and a sleep is over in the same pass.
CASE_BEFORE_INIT(schedule, descriptors_come_before_timers) {
  start_with_still_clock();
  st_netfd_t end[2];
  stream_pair(end);
  struct Waiter sleeper = {.timeout = 1000, .late = 't'};
  struct Waiter reader = {end[0], ST_UTIME_NO_TIMEOUT, 'r', '!'};
  spawn(nap_and_write, &sleeper), spawn(poll_and_write, &reader);
  pass();
  put(st_netfd_fileno(end[1]), "x");
  advance_clock_and_run(5000);
  CHECK_TEXT(letters(), "rt");
}

// Both at once for one thread: what arrived is not lost to the timeout.
CASE_BEFORE_INIT(schedule, readiness_comes_before_the_timeout_of_the_same_wait) {
  start_with_still_clock();
  st_netfd_t end[2];
  stream_pair(end);
  struct Waiter reader = {end[0], 1000, 'r', '!'};
  spawn(poll_and_write, &reader);
  pass();
  put(st_netfd_fileno(end[1]), "x");
  advance_clock_and_run(5000);
  CHECK_TEXT(letters(), "r");
}

static int rounds;

static void* play(void* other) {
  for (; rounds < 1000; ++rounds) {
    CHECK_EQ(st_cond_signal(turn[1 - (int)(intptr_t)other]), 0);
    CHECK_EQ(st_cond_wait(turn[(intptr_t)other]), 0);
  }
  CHECK_EQ(st_cond_signal(turn[1 - (int)(intptr_t)other]), 0);
  return NULL;
}

CASE(schedule, two_threads_play_ping_pong) {
  for (int i = 0; i < 2; ++i) turn[i] = st_cond_new();
  st_thread_t one = spawn(play, (void*)0);
  st_thread_t two = spawn(play, (void*)1);
  join(one);
  join(two);
  CHECK(rounds >= 1000);
}
