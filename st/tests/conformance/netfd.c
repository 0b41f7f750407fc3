// Descriptor objects: wrapping, private data, freeing and closing.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "support.h"

static bool is_open(int osfd) { return fcntl(osfd, F_GETFD) >= 0; }
static bool is_nonblocking(int osfd) { return (fcntl(osfd, F_GETFL) & O_NONBLOCK) != 0; }

static void wrapping_makes_nonblocking(st_netfd_t (*wrap)(int)) {
  int end[2];
  raw_pair(SOCK_STREAM, end);
  CHECK(!is_nonblocking(end[0]));
  st_netfd_t near = wrap(end[0]);
  CHECK(near != NULL);
  CHECK_EQ(st_netfd_fileno(near), end[0]);
  CHECK(is_nonblocking(end[0]));
  CHECK(!is_nonblocking(end[1]));
  CHECK((fcntl(end[0], F_GETFD) & FD_CLOEXEC) == 0);
}

CASE(netfd, open_makes_nonblocking) { wrapping_makes_nonblocking(st_netfd_open); }
CASE(netfd, open_socket_makes_nonblocking) { wrapping_makes_nonblocking(st_netfd_open_socket); }

CASE(netfd, open_socket_takes_a_pipe) {
  int end[2];
  CHECK_EQ(pipe(end), 0);
  st_netfd_t reader = st_netfd_open_socket(end[0]);
  CHECK(reader != NULL);
  CHECK(is_nonblocking(end[0]));
  put(end[1], "x");
  char byte;
  CHECK_EQ(st_read(reader, &byte, 1, 0), 1);
}

CASE(netfd, closed_descriptor_is_refused) {
  int end[2];
  raw_pair(SOCK_STREAM, end);
  CHECK_EQ(close(end[0]), 0);
  CHECK_NULL(st_netfd_open(end[0]), EBADF);
  CHECK_NULL(st_netfd_open_socket(end[0]), EBADF);
}

CASE_BEFORE_INIT(netfd, descriptor_that_select_cannot_hold_is_refused) {
  struct rlimit limit;
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = limit.rlim_max;
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  const int high = fcntl(0, F_DUPFD, FD_SETSIZE);
  if (high < 0) skip("this process may not have so many descriptors");
  start_library();
  if (!event_system_is("select")) skip("about select");
  CHECK_NULL(st_netfd_open(high), EMFILE);
  CHECK(is_open(high));
}

CASE(netfd, free_leaves_the_descriptor_open) {
  int end[2];
  raw_pair(SOCK_STREAM, end);
  st_netfd_t near = st_netfd_open(end[0]);
  st_netfd_free(near);
  CHECK(is_open(end[0]));
  CHECK(is_nonblocking(end[0]));
  st_netfd_t again = st_netfd_open(end[0]);
  CHECK(again != NULL);
  CHECK_EQ(st_write(again, "x", 1, 0), 1);
}

CASE(netfd, close_closes_the_descriptor) {
  st_netfd_t end[2];
  stream_pair(end);
  const int osfd = st_netfd_fileno(end[0]);
  CHECK_EQ(st_netfd_close(end[0]), 0);
  CHECK(!is_open(osfd));
  char byte;
  CHECK_EQ(st_read(end[1], &byte, 1, 0), 0);
}

CASE(netfd, close_reports_what_close_reports) {
  st_netfd_t end[2];
  stream_pair(end);
  CHECK_EQ(close(st_netfd_fileno(end[0])), 0);
  CHECK_FAILS(st_netfd_close(end[0]), EBADF);
}

CASE(netfd, two_objects_share_one_descriptor) {
  int end[2];
  raw_pair(SOCK_STREAM, end);
  st_netfd_t one = st_netfd_open(end[0]);
  st_netfd_t two = st_netfd_open(end[0]);
  CHECK(one != NULL && two != NULL && one != two);
  put(end[1], "xy");
  char byte;
  CHECK_EQ(st_read(one, &byte, 1, 0), 1);
  CHECK_EQ(st_read(two, &byte, 1, 0), 1);
  CHECK_EQ(byte, 'y');
  CHECK_FAILS(st_read(one, &byte, 1, 0), ETIME);
  st_netfd_free(one);
  put(end[1], "z");
  CHECK_EQ(st_netfd_poll(two, POLLIN, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(st_read(two, &byte, 1, 0), 1);
}

// A program that closes past the library and forgets the object; the next descriptor has the same
// number.
CASE(netfd, number_that_is_used_again_starts_afresh) {
  int end[2];
  char byte;
  for (int i = 0; i < 4; ++i) {
    raw_pair(SOCK_STREAM, end);
    st_netfd_t near = st_netfd_open(end[0]);
    CHECK_FAILS(st_read(near, &byte, 1, 0), ETIME);
    put(end[1], "x");
    CHECK_EQ(st_read(near, &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
    if (i % 2) st_netfd_free(near);
    CHECK_EQ(close(end[0]), 0);
    CHECK_EQ(close(end[1]), 0);
  }
}

CASE(netfd, descriptor_replaced_by_dup2) {
  // 1.9 asks about a descriptor anew for each wait. A mechanism of the kernel that keeps
  // descriptors knows the old file only.
  if (!event_system_is("select") && !event_system_is("poll")) skip("about select and poll");
  st_netfd_t old[2];
  st_netfd_t new[2];
  stream_pair(old);
  stream_pair(new);
  char byte;
  CHECK_FAILS(st_read(old[0], &byte, 1, 0), ETIME);
  CHECK_EQ(dup2(st_netfd_fileno(new[0]), st_netfd_fileno(old[0])), st_netfd_fileno(old[0]));
  put(st_netfd_fileno(new[1]), "x");
  CHECK_EQ(st_read(old[0], &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
}

CASE(netfd, thousand_opened_and_closed) {
  for (int i = 0; i < 1000; ++i) {
    st_netfd_t end[2];
    stream_pair(end);
    CHECK_EQ(st_netfd_close(end[0]), 0);
    CHECK_EQ(st_netfd_close(end[1]), 0);
  }
}

static void write_value(void* value) { letter(*(char*)value); }
static void write_star(void* value) {
  (void)value;
  letter('*');
}

static char a[] = "a";
static char b[] = "b";

CASE(netfd, private_data_is_null_at_first) {
  st_netfd_t end[2];
  stream_pair(end);
  CHECK(st_netfd_getspecific(end[0]) == NULL);
  st_netfd_setspecific(end[0], a, NULL);
  CHECK(st_netfd_getspecific(end[0]) == a);
  CHECK(st_netfd_getspecific(end[1]) == NULL);
}

CASE(netfd, private_data_does_not_outlive_the_object) {
  st_netfd_t end[2];
  stream_pair(end);
  st_netfd_setspecific(end[0], a, write_value);
  CHECK_EQ(st_netfd_close(end[0]), 0);
  CHECK_TEXT(letters(), "a");
  stream_pair(end);
  CHECK(st_netfd_getspecific(end[0]) == NULL);
  CHECK_EQ(st_netfd_close(end[0]), 0);
  CHECK_TEXT(letters(), "a");
}

CASE(netfd, private_data_is_destroyed_by_free) {
  st_netfd_t end[2];
  stream_pair(end);
  st_netfd_setspecific(end[0], a, write_value);
  st_netfd_free(end[0]);
  CHECK_TEXT(letters(), "a");
}

CASE(netfd, replaced_private_data_is_destroyed_by_its_own_destructor) {
  st_netfd_t end[2];
  stream_pair(end);
  st_netfd_setspecific(end[0], a, write_value);
  st_netfd_setspecific(end[0], b, write_star);
  CHECK_TEXT(letters(), "a");
  CHECK(st_netfd_getspecific(end[0]) == b);
  st_netfd_setspecific(end[0], NULL, NULL);
  CHECK_TEXT(letters(), "a*");
  CHECK_EQ(st_netfd_close(end[0]), 0);
  CHECK_TEXT(letters(), "a*");
}

CASE(netfd, same_private_data_again_changes_the_destructor) {
  st_netfd_t end[2];
  stream_pair(end);
  st_netfd_setspecific(end[0], a, write_value);
  st_netfd_setspecific(end[0], a, write_star);
  CHECK_TEXT(letters(), "");
  st_netfd_free(end[0]);
  CHECK_TEXT(letters(), "*");
}

static void* read_byte(void* from) {
  char byte;
  return (void*)(intptr_t)st_read(from, &byte, 1, ST_UTIME_NO_TIMEOUT);
}

static void* poll_raw(void* from) {
  struct pollfd polled = {.fd = st_netfd_fileno(from), .events = POLLIN};
  return (void*)(intptr_t)st_poll(&polled, 1, ST_UTIME_NO_TIMEOUT);
}

// The event system poll cannot tell who waits in 1.9, so nothing is required of close there.
static void close_is_refused_while(void* (*waits)(void*)) {
  if (event_system_is("poll")) skip("1.9 does not know under poll who waits");
  st_netfd_t end[2];
  stream_pair(end);
  st_netfd_setspecific(end[0], a, write_value);
  st_thread_t waiter = spawn(waits, end[0]);
  pass();
  CHECK_FAILS(st_netfd_close(end[0]), EBUSY);
  CHECK_TEXT(letters(), "");
  CHECK(st_netfd_getspecific(end[0]) == a);
  put(st_netfd_fileno(end[1]), "x");
  CHECK_EQ((intptr_t)join(waiter), 1);
  CHECK_EQ(st_netfd_close(end[0]), 0);
  CHECK_TEXT(letters(), "a");
}

CASE(netfd, close_is_refused_while_a_thread_reads) { close_is_refused_while(read_byte); }
CASE(netfd, close_is_refused_while_a_thread_polls_the_raw_descriptor) {
  close_is_refused_while(poll_raw);
}

CASE(netfd, close_is_refused_for_a_waiter_through_another_object) {
  if (event_system_is("poll")) skip("1.9 does not know under poll who waits");
  int end[2];
  raw_pair(SOCK_STREAM, end);
  st_netfd_t one = st_netfd_open(end[0]);
  st_netfd_t two = st_netfd_open(end[0]);
  st_thread_t waiter = spawn(read_byte, one);
  pass();
  CHECK_FAILS(st_netfd_close(two), EBUSY);
  CHECK(is_open(end[0]));
  put(end[1], "x");
  CHECK_EQ((intptr_t)join(waiter), 1);
  CHECK_EQ(st_netfd_close(two), 0);
}

CASE(netfd, close_is_refused_until_an_interrupted_waiter_has_run) {
  if (event_system_is("poll")) skip("1.9 does not know under poll who waits");
  st_netfd_t end[2];
  stream_pair(end);
  st_thread_t waiter = spawn(read_byte, end[0]);
  pass();
  st_thread_interrupt(waiter);
  CHECK_FAILS(st_netfd_close(end[0]), EBUSY);
  CHECK_EQ((intptr_t)join(waiter), -1);
  CHECK_EQ(st_netfd_close(end[0]), 0);
}

CASE(netfd, close_is_allowed_after_a_timed_out_wait) {
  st_netfd_t end[2];
  stream_pair(end);
  CHECK_FAILS(st_netfd_poll(end[0], POLLIN, 0), ETIME);
  CHECK_EQ(st_netfd_close(end[0]), 0);
}

struct PollThenClose {
  st_netfd_t polled;
  st_netfd_t closed;
};

static void* poll_then_close(void* argument) {
  struct PollThenClose* what = argument;
  CHECK_EQ(st_netfd_poll(what->polled, POLLIN, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(st_netfd_close(what->closed), 0);
  return NULL;
}

// Both descriptors become ready in one pass, so the second waiter counts no longer although it has
// not run yet.
CASE(netfd, close_is_allowed_once_the_event_was_dispatched) {
  st_netfd_t one[2];
  st_netfd_t two[2];
  stream_pair(one);
  stream_pair(two);
  struct PollThenClose what = {one[0], two[0]};
  st_thread_t closer = spawn(poll_then_close, &what);
  st_thread_t waiter = spawn(poll_raw, two[0]);
  pass();
  put(st_netfd_fileno(one[1]), "x");
  put(st_netfd_fileno(two[1]), "x");
  join(closer);
  CHECK_EQ((intptr_t)join(waiter), 1);
}

CASE(netfd, serialize_accept_is_a_formality) {
  struct sockaddr_in address;
  st_netfd_t listener = open_listener(5, &address);
  CHECK_EQ(st_netfd_serialize_accept(listener), 0);
  CHECK_EQ(st_netfd_serialize_accept(listener), 0);
}

CASE(st_open, reads_a_file) {
  st_netfd_t file = st_open("/proc/self/stat", O_RDONLY, 0);
  CHECK(file != NULL);
  CHECK(is_nonblocking(st_netfd_fileno(file)));
  char text[8];
  CHECK_EQ(st_read(file, text, sizeof text, ST_UTIME_NO_TIMEOUT), sizeof text);
  CHECK_EQ(st_netfd_close(file), 0);
}

CASE(st_open, reports_what_open_reports) {
  CHECK_NULL(st_open("/nowhere/at/all", O_RDONLY, 0), ENOENT);
  CHECK_NULL(st_open("/proc", O_WRONLY, 0), EISDIR);
}

CASE(st_open, creates_with_the_mode_asked_for) {
  char folder[] = "/tmp/st-conformance-XXXXXX";
  CHECK(mkdtemp(folder) != NULL);
  char path[64];
  snprintf(path, sizeof path, "%s/file", folder);
  umask(0);
  st_netfd_t file = st_open(path, O_CREAT | O_WRONLY, 0640);
  struct stat seen = {.st_mode = 0};
  const int found = stat(path, &seen);
  unlink(path);
  rmdir(folder);
  CHECK(file != NULL);
  CHECK_EQ(found, 0);
  CHECK_EQ(seen.st_mode & 0777, 0640);
}

CASE(st_open, does_not_wait_for_the_other_end_of_a_fifo) {
  char folder[] = "/tmp/st-conformance-XXXXXX";
  CHECK(mkdtemp(folder) != NULL);
  char path[64];
  snprintf(path, sizeof path, "%s/fifo", folder);
  const int made = mkfifo(path, 0600);
  errno = 0;
  st_netfd_t early_writer = st_open(path, O_WRONLY, 0);
  const int refusal = errno;
  st_netfd_t reader = st_open(path, O_RDONLY, 0);
  st_netfd_t writer = st_open(path, O_WRONLY, 0);
  unlink(path);
  rmdir(folder);
  CHECK_EQ(made, 0);
  CHECK(early_writer == NULL);
  CHECK_EQ(refusal, ENXIO);
  CHECK(reader != NULL && writer != NULL);
  st_thread_t waiter = spawn(read_byte, reader);
  pass();
  CHECK_EQ(st_write(writer, "x", 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ((intptr_t)join(waiter), 1);
}
