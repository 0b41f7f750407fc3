// Set-up: the event system, st_init, limits, and what may be called before it.
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "support.h"

CASE_BEFORE_INIT(init, returns_zero) { CHECK_EQ(st_init(), 0); }

CASE(init, second_call_changes_nothing) {
  st_thread_t self = st_thread_self();
  const int limit = st_getfdlimit();
  st_set_switch_in_cb(pass);
  CHECK_EQ(st_init(), 0);
  CHECK(st_set_switch_in_cb(NULL) == pass);
  CHECK(st_thread_self() == self);
  CHECK_EQ(st_getfdlimit(), limit);
}

static void* init_again(__attribute__((unused)) void* unused) {
  CHECK_EQ(st_init(), 0);
  pass();
  return st_thread_self();
}

CASE(init, second_call_from_another_thread) {
  st_thread_t other = spawn(init_again, NULL);
  CHECK(join(other) == (void*)other);
}

CASE_BEFORE_INIT(init, ignores_sigpipe_from_then_on) {
  struct sigaction action;
  CHECK_EQ(sigaction(SIGPIPE, NULL, &action), 0);
  CHECK(action.sa_handler == SIG_DFL);
  start_library();
  CHECK_EQ(sigaction(SIGPIPE, NULL, &action), 0);
  CHECK(action.sa_handler == SIG_IGN);
}

CASE_BEFORE_INIT(init, descriptor_limit_is_unknown_before) { CHECK_EQ(st_getfdlimit(), -1); }

CASE_BEFORE_INIT(init, raises_the_soft_descriptor_limit) {
  struct rlimit limit;
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlim_t low = 64;  // below any hard limit that a test machine has
  limit.rlim_cur = low;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  start_library();
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  CHECK(limit.rlim_cur > low);
  CHECK(st_getfdlimit() > (int)low);
  CHECK((rlim_t)st_getfdlimit() <= limit.rlim_cur);
}

CASE(init, descriptor_limit_under_select_is_what_select_can_hold) {
  if (!event_system_is("select")) skip("about select");
  CHECK(st_getfdlimit() <= FD_SETSIZE);
}

CASE_BEFORE_INIT(init, no_event_system_before) {
  CHECK_EQ(st_get_eventsys(), -1);
  CHECK_TEXT(st_get_eventsys_name(), "");
}

CASE_BEFORE_INIT(init, select_can_be_chosen) {
  CHECK_EQ(st_set_eventsys(ST_EVENTSYS_SELECT), 0);
  CHECK_EQ(st_get_eventsys(), ST_EVENTSYS_SELECT);
  CHECK_TEXT(st_get_eventsys_name(), "select");
  CHECK_EQ(st_init(), 0);
  CHECK_EQ(st_get_eventsys(), ST_EVENTSYS_SELECT);
}

CASE_BEFORE_INIT(init, poll_can_be_chosen) {
  CHECK_EQ(st_set_eventsys(ST_EVENTSYS_POLL), 0);
  CHECK_EQ(st_get_eventsys(), ST_EVENTSYS_POLL);
  CHECK_TEXT(st_get_eventsys_name(), "poll");
  CHECK_EQ(st_init(), 0);
  CHECK_EQ(st_get_eventsys(), ST_EVENTSYS_POLL);
}

CASE_BEFORE_INIT(init, alternative_is_never_refused) {
  CHECK_EQ(st_set_eventsys(ST_EVENTSYS_ALT), 0);
  CHECK_EQ(st_init(), 0);
  CHECK(st_get_eventsys() > 0);
}

CASE_BEFORE_INIT(init, default_is_chosen_at_once) {
  CHECK_EQ(st_set_eventsys(ST_EVENTSYS_DEFAULT), 0);
  CHECK(st_get_eventsys() > 0);
  CHECK_FAILS(st_set_eventsys(ST_EVENTSYS_POLL), EBUSY);
}

CASE_BEFORE_INIT(init, init_chooses_when_nobody_did) {
  CHECK_EQ(st_init(), 0);
  CHECK(st_get_eventsys() > 0);
  CHECK(strlen(st_get_eventsys_name()) > 0);
}

CASE_BEFORE_INIT(init, unknown_event_system_is_refused) {
  CHECK_FAILS(st_set_eventsys(99), EINVAL);
  CHECK_FAILS(st_set_eventsys(-1), EINVAL);
  CHECK_EQ(st_get_eventsys(), -1);
  CHECK_EQ(st_set_eventsys(ST_EVENTSYS_POLL), 0);
}

CASE_BEFORE_INIT(init, event_system_can_be_chosen_once) {
  CHECK_EQ(st_set_eventsys(ST_EVENTSYS_SELECT), 0);
  CHECK_FAILS(st_set_eventsys(ST_EVENTSYS_SELECT), EBUSY);
  CHECK_FAILS(st_set_eventsys(ST_EVENTSYS_POLL), EBUSY);
  CHECK_EQ(st_get_eventsys(), ST_EVENTSYS_SELECT);
}

CASE(init, event_system_is_fixed_afterwards) {
  const int chosen = st_get_eventsys();
  CHECK_FAILS(st_set_eventsys(ST_EVENTSYS_SELECT), EBUSY);
  CHECK_FAILS(st_set_eventsys(ST_EVENTSYS_DEFAULT), EBUSY);
  CHECK_FAILS(st_set_eventsys(99), EBUSY);
  CHECK_EQ(st_get_eventsys(), chosen);
}

CASE(init, event_system_name_fits_its_number) {
  const char* names[] = {"", "select", "poll", "epoll", "io_uring"};
  const int number = st_get_eventsys();
  CHECK(number > 0 && number < COUNT_OF(names));
  CHECK_TEXT(st_get_eventsys_name(), names[number]);
}

CASE_BEFORE_INIT(init, nobody_is_running_before) {
  CHECK(st_thread_self() == NULL);
  start_library();
  CHECK(st_thread_self() != NULL);
}

CASE_BEFORE_INIT(init, clock_is_not_cached_before) {
  CHECK_EQ(st_utime_last_clock(), 0);
  start_library();
  CHECK(st_utime_last_clock() > 0);
}

CASE_BEFORE_INIT(init, clocks_can_be_read_before) {
  CHECK(st_utime() > 0);
  const time_t now = time(NULL);
  CHECK(st_time() >= now && st_time() <= now + 1);
}

CASE_BEFORE_INIT(init, key_created_before_is_good_after) {
  int key = -1;
  CHECK_EQ(st_key_getlimit(), 16);
  CHECK_EQ(st_key_create(&key, NULL), 0);
  start_library();
  CHECK_EQ(st_thread_setspecific(key, &key), 0);
  CHECK(st_thread_getspecific(key) == &key);
}

CASE_BEFORE_INIT(init, condition_created_before_is_good_after) {
  st_cond_t cond = st_cond_new();
  CHECK(cond != NULL);
  start_library();
  CHECK_FAILS(st_cond_timedwait(cond, 0), ETIME);
  CHECK_EQ(st_cond_destroy(cond), 0);
}

CASE_BEFORE_INIT(init, mutex_created_before_is_good_after) {
  st_mutex_t mutex = st_mutex_new();
  CHECK(mutex != NULL);
  start_library();
  CHECK_EQ(st_mutex_lock(mutex), 0);
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  CHECK_EQ(st_mutex_destroy(mutex), 0);
}

static void wrap_before_init(int event_system) {
  int end[2];
  CHECK_EQ(st_set_eventsys(event_system), 0);
  raw_pair(SOCK_STREAM, end);
  st_netfd_t near = st_netfd_open_socket(end[0]);
  CHECK(near != NULL);
  CHECK_EQ(st_init(), 0);
  put(end[1], "x");
  char byte;
  CHECK_EQ(st_netfd_poll(near, POLLIN, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(st_read(near, &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(st_netfd_close(near), 0);
}

CASE_BEFORE_INIT(init, descriptor_wrapped_before_is_good_after_select) {
  wrap_before_init(ST_EVENTSYS_SELECT);
}

CASE_BEFORE_INIT(init, descriptor_wrapped_before_is_good_after_poll) {
  wrap_before_init(ST_EVENTSYS_POLL);
}

CASE_BEFORE_INIT(init, random_stacks_can_be_asked_for_before) {
  CHECK_EQ(st_randomize_stacks(1), 0);
  CHECK_EQ(st_randomize_stacks(1), 1);
  start_library();
  char which[] = "a";
  CHECK(join(spawn(write_letter, which)) == which);
  CHECK_EQ(st_randomize_stacks(0), 1);
  CHECK_EQ(st_randomize_stacks(0), 0);
}
