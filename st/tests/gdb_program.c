/* What gdb is asked about: threads that wait for each kind of thing, one that has ended and one
 * that has not begun. With an argument it aborts at the end, to leave a core file. */
#include <st.h>
#include <stdlib.h>

static st_cond_t nobody_signals;
static st_mutex_t held;
static int ends[2];

static void* sleeper(void* arg) {
  (void)arg;
  st_sleep(1000);
  return NULL;
}

static void* reader(void* fd) {
  char byte;
  st_read(fd, &byte, 1, ST_UTIME_NO_TIMEOUT);
  return NULL;
}

static void* cond_waiter(void* arg) {
  volatile int local_of_cond_waiter = 4711;
  st_cond_wait(nobody_signals);
  return local_of_cond_waiter ? arg : NULL;
}

static void* locker(void* arg) {
  st_mutex_lock(held);
  return arg;
}

static void* joiner(void* thread) {
  st_thread_join(thread, NULL);
  return NULL;
}

static void* ended(void* arg) { return arg; }

static st_thread_t start(void* (*function)(void*), void* arg, const char* name, int stack_size) {
  st_thread_t thread = st_thread_create(function, arg, 1, stack_size);
  if (!thread) abort();
  st_thread_setname(thread, name);
  return thread;
}

__attribute__((noinline)) void everybody_waits(int end) {
  if (end) abort();
}

int main(int argc, char** argv) {
  (void)argv;
  if (st_init() != 0 || pipe(ends) != 0) return 1;
  nobody_signals = st_cond_new();
  held = st_mutex_new();
  st_mutex_lock(held);
  st_thread_t first = start(sleeper, NULL, "the sleeper", 0);
  start(reader, st_netfd_open(ends[0]), "the reader", 0);
  start(cond_waiter, NULL, "the cond waiter", 128 * 1024); /* from another pool */
  start(locker, NULL, "the locker", 0);
  start(joiner, first, "the joiner", 0);
  start(ended, NULL, "the ended", 0);
  st_randomize_stacks(1);
  start(sleeper, NULL, "the random", 0);
  st_usleep(1000);
  start(ended, NULL, "the new", 0);
  everybody_waits(argc > 1);
  return 0;
}
