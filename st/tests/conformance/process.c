// How a process ends, and what a forked child may do.
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "support.h"

// Seen by the case and by its children.
struct Shared {
  int count;
  char text[64];
};
static struct Shared* shared;

static void share(void) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(shared != MAP_FAILED);
}

static void note(char which) { shared->text[shared->count++] = which; }
static void note_exit(void) { note('x'); }
static void note_exit_earlier(void) { note('y'); }

static void* nap_and_note(void* text) {
  CHECK_EQ(st_usleep(2000), 0);
  note(*(char*)text);
  return NULL;
}

static char n[] = "n";
static char m[] = "m";

// A library with AddressSanitizer ends like any other; only the bodies below decide how.
static void check_end(void (*body)(void), int status, const char* noted) {
  share();
  CHECK_EQ(status_of_child(body), status << 8);
  CHECK_TEXT(shared->text, noted);
}

static void end_at_once(void) {
  start_library();
  atexit(note_exit);
  atexit(note_exit_earlier);
  st_thread_exit(NULL);
}
CASE_BEFORE_INIT(process, last_thread_ends_it_with_status_0_and_exit_handlers) {
  check_end(end_at_once, 0, "yx");
}

static void end_before_others(void) {
  start_library();
  atexit(note_exit);
  spawn(nap_and_note, n);
  CHECK(st_thread_create(nap_and_note, n, 0, 0) != NULL);
  st_thread_exit(NULL);
}
CASE_BEFORE_INIT(process, goes_on_after_the_primordial_thread) {
  check_end(end_before_others, 0, "nnx");
}

static void leave_a_zombie(void) {
  start_library();
  atexit(note_exit);
  static char z[] = "z";
  spawn(write_letter, z);
  pass();
  CHECK_TEXT(letters(), "z");
  st_thread_exit(NULL);
}
CASE_BEFORE_INIT(process, zombies_do_not_keep_it_alive) { check_end(leave_a_zombie, 0, "x"); }

static void* wait_for_data(void* end) {
  char byte;
  CHECK_EQ(st_read(end, &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
  note(byte);
  return NULL;
}

static void wait_for_a_child(void) {
  start_library();
  st_netfd_t end[2];
  stream_pair(end);
  CHECK(st_thread_create(wait_for_data, end[0], 0, 0) != NULL);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    usleep(2000);
    put(st_netfd_fileno(end[1]), "d");
    _exit(0);
  }
  st_thread_exit(NULL);
}
CASE_BEFORE_INIT(process, thread_that_waits_for_data_keeps_it_alive) {
  check_end(wait_for_a_child, 0, "d");
}

static void exit_with_threads(void) {
  start_library();
  atexit(note_exit);
  spawn(nap_and_note, n);
  pass();
  exit(7);
}
CASE_BEFORE_INIT(process, exit_does_not_wait_for_threads) { check_end(exit_with_threads, 7, "x"); }

static void* exit_here(void* unused) {
  (void)unused;
  exit(5);
}
static void exit_from_a_thread(void) {
  start_library();
  atexit(note_exit);
  spawn(exit_here, NULL);
  pass();
}
CASE_BEFORE_INIT(process, exit_works_in_any_thread) { check_end(exit_from_a_thread, 5, "x"); }

static void note_value(void* value) { note(*(char*)value); }
static void nap_and_note_value(void* value) { nap_and_note(value); }

static void end_with_data(void (*destructor)(void*)) {
  start_library();
  atexit(note_exit);
  int key;
  CHECK_EQ(st_key_create(&key, destructor), 0);
  CHECK_EQ(st_thread_setspecific(key, m), 0);
  st_thread_exit(NULL);
}
static void end_primordial_with_data(void) { end_with_data(note_value); }
static void end_primordial_with_slow_data(void) { end_with_data(nap_and_note_value); }
CASE_BEFORE_INIT(process, primordial_thread_runs_its_destructors) {
  check_end(end_primordial_with_data, 0, "mx");
}
CASE_BEFORE_INIT(process, destructor_that_blocks_keeps_it_alive) {
  check_end(end_primordial_with_slow_data, 0, "mx");
}

static void* create_the_next(void* depth) {
  CHECK_EQ(st_usleep(0), 0);
  note('c');
  if (depth != NULL) CHECK(st_thread_create(create_the_next, (char*)depth - 1, 0, 0) != NULL);
  return NULL;
}
static void hand_on_and_on(void) {
  start_library();
  atexit(note_exit);
  CHECK(st_thread_create(create_the_next, (void*)3, 0, 0) != NULL);
  st_thread_exit(NULL);
}
CASE_BEFORE_INIT(process, lives_as_long_as_threads_create_threads) {
  check_end(hand_on_and_on, 0, "ccccx");
}

static void expect_success(pid_t child) {
  int status = 0;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
}

static void* serve_once(void* listener) {
  st_netfd_t client = st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT);
  CHECK(client != NULL);
  char byte;
  CHECK_EQ(st_read(client, &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(st_write(client, &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(st_netfd_close(client), 0);
  return NULL;
}

// Each child serves one connection with a thread of its own and ends; so all children must have
// been awake.
CASE(process, forked_children_accept_on_a_shared_listener) {
  enum { kChildren = 4 };
  struct sockaddr_in address;
  st_netfd_t listener = open_listener(16, &address);
  pass();
  pid_t children[kChildren];
  for (int i = 0; i < kChildren; ++i) {
    children[i] = fork();
    CHECK(children[i] >= 0);
    if (children[i] == 0) {
      CHECK(st_thread_create(serve_once, listener, 0, 0) != NULL);
      st_thread_exit(NULL);
    }
  }
  for (int i = 0; i < kChildren; ++i) {
    st_netfd_t server = tcp_socket();
    CHECK_EQ(st_connect(server, (struct sockaddr*)&address, sizeof address, ST_UTIME_NO_TIMEOUT),
             0);
    char byte = (char)('0' + i);
    CHECK_EQ(st_write(server, &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
    CHECK_EQ(st_read(server, &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
    CHECK_EQ(byte, '0' + i);
  }
  for (int i = 0; i < kChildren; ++i) expect_success(children[i]);
}

CASE(process, forked_child_and_parent_both_wait_without_disturbing_each_other) {
  st_netfd_t mine[2];
  st_netfd_t its[2];
  stream_pair(mine);
  stream_pair(its);
  char byte;
  CHECK_FAILS(st_read(mine[0], &byte, 1, 1000), ETIME);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK_EQ(st_read(its[0], &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
    CHECK_EQ(byte, 'c');
    CHECK_EQ(st_netfd_close(its[0]), 0);
    CHECK_EQ(st_netfd_close(mine[0]), 0);
    CHECK_EQ(st_write(mine[1], "p", 1, ST_UTIME_NO_TIMEOUT), 1);
    _exit(0);
  }
  CHECK_EQ(st_write(its[1], "c", 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(st_read(mine[0], &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(byte, 'p');
  expect_success(child);
  CHECK_EQ(st_usleep(1000), 0);
}

static void* sleep_and_write(void* text) {
  CHECK_EQ(st_usleep(3000), 0);
  letter(*(char*)text);
  return NULL;
}

CASE(process, forked_child_has_all_threads_of_its_parent) {
  static char r[] = "r";
  st_thread_t runnable = spawn(write_letter, r);
  st_thread_t sleeper = spawn(sleep_and_write, n);
  const pid_t child = fork();
  CHECK(child >= 0);
  join(runnable);
  join(sleeper);
  CHECK_TEXT(letters(), "rn");
  if (child == 0) _exit(0);
  expect_success(child);
}

static void* read_letter(void* end) {
  char byte;
  CHECK_EQ(st_read(end, &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
  letter(byte);
  return NULL;
}

// The thread waits in both processes; each gets one of the two bytes.
CASE(process, thread_that_waits_for_data_waits_in_the_child_too) {
  st_netfd_t end[2];
  stream_pair(end);
  st_thread_t reader = spawn(read_letter, end[0]);
  pass();
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child > 0) put(st_netfd_fileno(end[1]), "dd");
  join(reader);
  CHECK_TEXT(letters(), "d");
  if (child == 0) _exit(0);
  expect_success(child);
}

static void* fork_here(void* end) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK_EQ(st_usleep(1000), 0);
    CHECK_EQ(st_write(end, "f", 1, ST_UTIME_NO_TIMEOUT), 1);
    exit(0);
  }
  return (void*)(intptr_t)child;
}

CASE(process, any_thread_may_fork) {
  st_netfd_t end[2];
  stream_pair(end);
  st_thread_t forker = spawn(fork_here, end[1]);
  char byte = 0;
  CHECK_EQ(st_read(end[0], &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(byte, 'f');
  expect_success((pid_t)(intptr_t)join(forker));
}
