// Calls that never switch: programs rely on them for critical sections without locks.
#include <fcntl.h>

#include "support.h"

static void bystander_must_wait(void (*calls)(void)) {
  static char which[] = "b";
  st_thread_t other = spawn(write_letter, which);
  calls();
  CHECK_TEXT(letters(), "");
  join(other);
}

#define NEVER_SWITCHES(title)                                            \
  static void calls_of_##title(void);                                    \
  CASE(never_switches, title) { bystander_must_wait(calls_of_##title); } \
  static void calls_of_##title(void)

NEVER_SWITCHES(st_init) { CHECK_EQ(st_init(), 0); }

NEVER_SWITCHES(st_thread_create) {
  static char which[] = "x";
  for (int i = 0; i < 10; ++i) CHECK(st_thread_create(write_letter, which, 0, 0) != NULL);
  // They run later than this and write their letters; none has done so yet.
}

NEVER_SWITCHES(st_thread_interrupt) {
  st_thread_t sleeper = spawn(sleep_until_told, NULL);
  st_thread_interrupt(sleeper);
}

NEVER_SWITCHES(clocks) {
  st_utime();
  st_utime_last_clock();
  st_timecache_set(1);
  st_time();
  st_timecache_set(0);
}

NEVER_SWITCHES(st_cond_signal) {
  st_cond_t cond = st_cond_new();
  CHECK_EQ(st_cond_signal(cond), 0);
  CHECK_EQ(st_cond_broadcast(cond), 0);
  CHECK_EQ(st_cond_destroy(cond), 0);
}

NEVER_SWITCHES(mutex_that_is_free) {
  st_mutex_t mutex = st_mutex_new();
  CHECK_EQ(st_mutex_lock(mutex), 0);
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  CHECK_EQ(st_mutex_trylock(mutex), 0);
  CHECK_FAILS(st_mutex_trylock(mutex), EBUSY);
  CHECK_FAILS(st_mutex_lock(mutex), EDEADLK);
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  CHECK_EQ(st_mutex_destroy(mutex), 0);
}

NEVER_SWITCHES(thread_specific_data) {
  int key;
  CHECK_EQ(st_key_create(&key, NULL), 0);
  CHECK_EQ(st_thread_setspecific(key, &key), 0);
  CHECK(st_thread_getspecific(key) == &key);
}

NEVER_SWITCHES(descriptor_objects) {
  st_netfd_t end[2];
  stream_pair(end);
  st_netfd_setspecific(end[0], end, NULL);
  CHECK(st_netfd_getspecific(end[0]) == end);
  CHECK_EQ(st_netfd_serialize_accept(end[0]), 0);
  st_netfd_free(end[0]);
  CHECK_EQ(st_netfd_close(end[1]), 0);
}

NEVER_SWITCHES(st_open) {
  st_netfd_t null = st_open("/dev/null", O_RDWR, 0);
  CHECK(null != NULL);
  CHECK_EQ(st_netfd_close(null), 0);
}

NEVER_SWITCHES(join_that_is_refused) {
  CHECK_FAILS(st_thread_join(st_thread_self(), NULL), EINVAL);
}

NEVER_SWITCHES(poll_that_is_refused) {
  struct pollfd nothing = {.fd = -1, .events = POLLIN};
  CHECK_FAILS(st_poll(&nothing, 1, 0), EINVAL);
}
