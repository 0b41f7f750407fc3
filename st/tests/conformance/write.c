// Writing: never a short count, and what is left when that fails.
#include <stdlib.h>
#include <string.h>

#include "support.h"

enum { kLarge = 1 << 20 };  // far more than any socket buffer holds here

static st_netfd_t end[2];

static void arrange(void) { stream_pair(end); }

static char* large_text(void) {
  char* text = malloc(kLarge);
  CHECK(text != NULL);
  for (int i = 0; i < kLarge; ++i) text[i] = (char)(i * 31 + i / 251);
  return text;
}

static size_t received;

static void* receive_all(void* expected) {
  char block[3000];
  ssize_t got;
  while ((got = st_read(end[1], block, sizeof block, ST_UTIME_NO_TIMEOUT)) > 0) {
    CHECK(memcmp(block, (char*)expected + received, (size_t)got) == 0);
    received += (size_t)got;
  }
  CHECK_EQ(got, 0);
  return NULL;
}

CASE(write, is_never_short) {
  arrange();
  char* text = large_text();
  st_thread_t reader = spawn(receive_all, text);
  CHECK_EQ(st_write(end[0], text, kLarge, ST_UTIME_NO_TIMEOUT), kLarge);
  CHECK_EQ(st_netfd_close(end[0]), 0);
  join(reader);
  CHECK_EQ(received, kLarge);
}

CASE(write, of_no_bytes_is_zero) {
  arrange();
  CHECK_EQ(st_write(end[0], "", 0, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(drain(st_netfd_fileno(end[1])), 0);
}

CASE(write, of_no_bytes_does_not_wait_for_room) {
  arrange();
  fill(st_netfd_fileno(end[0]));
  CHECK_FAILS(st_write(end[0], "x", 1, 0), ETIME);
  CHECK_EQ(st_write(end[0], "", 0, ST_UTIME_NO_TIMEOUT), 0);
}

// The reader made room since the last attempt failed.
CASE(write, into_room_that_was_made_does_not_switch) {
  arrange();
  fill(st_netfd_fileno(end[0]));
  CHECK_FAILS(st_write(end[0], "x", 1, 0), ETIME);
  drain(st_netfd_fileno(end[1]));
  static char b[] = "b";
  spawn(write_letter, b);
  st_thread_interrupt(st_thread_self());
  CHECK_EQ(st_write(end[0], "x", 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_TEXT(letters(), "");
}

CASE(write, of_no_bytes_still_asks_the_kernel) {
  st_netfd_t tube[2];
  pipe_pair(tube);
  CHECK_FAILS(st_write(tube[0], "", 0, ST_UTIME_NO_TIMEOUT), EBADF);
}

CASE(write, to_a_closed_peer_fails_without_a_signal) {
  arrange();
  CHECK_EQ(st_netfd_close(end[1]), 0);
  CHECK_FAILS(st_write(end[0], "x", 1, ST_UTIME_NO_TIMEOUT), EPIPE);
}

CASE(write, to_a_pipe_without_reader_fails_without_a_signal) {
  st_netfd_t tube[2];
  pipe_pair(tube);
  CHECK_EQ(st_netfd_close(tube[0]), 0);
  CHECK_FAILS(st_write(tube[1], "x", 1, ST_UTIME_NO_TIMEOUT), EPIPE);
}

CASE(write, errors_of_the_kernel_come_through) {
  st_netfd_t tube[2];
  pipe_pair(tube);
  CHECK_FAILS(st_write(tube[0], "x", 1, 0), EBADF);
}

CASE(write, partial_write_that_times_out_is_a_failure) {
  arrange();
  char* text = large_text();
  CHECK_FAILS(st_write(end[0], text, kLarge, 1000), ETIME);
  const size_t sent = drain(st_netfd_fileno(end[1]));
  CHECK(sent > 0 && sent < kLarge);
}

static void* close_far_end(void* unused) {
  (void)unused;
  CHECK_EQ(st_netfd_close(end[1]), 0);
  return NULL;
}

CASE(write, peer_that_closes_ends_a_blocked_write) {
  arrange();
  fill(st_netfd_fileno(end[0]));
  spawn(close_far_end, NULL);
  CHECK_FAILS(st_write(end[0], "x", 1, ST_UTIME_NO_TIMEOUT), EPIPE);
}

CASE(write_resid, nothing_is_left_after_success) {
  arrange();
  char* text = large_text();
  size_t left = kLarge;
  st_thread_t reader = spawn(receive_all, text);
  CHECK_EQ(st_write_resid(end[0], text, &left, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(left, 0);
  CHECK_EQ(st_netfd_close(end[0]), 0);
  join(reader);
  CHECK_EQ(received, kLarge);
}

CASE(write_resid, tells_what_is_left_when_the_time_is_over) {
  arrange();
  char* text = large_text();
  size_t left = kLarge;
  CHECK_FAILS(st_write_resid(end[0], text, &left, 1000), ETIME);
  CHECK(left > 0 && left < kLarge);
  CHECK_EQ(drain(st_netfd_fileno(end[1])), kLarge - left);
}

static char* source;
static size_t unsent;

static void* write_until_interrupted(void* unused) {
  (void)unused;
  unsent = kLarge;
  CHECK_FAILS(st_write_resid(end[0], source, &unsent, ST_UTIME_NO_TIMEOUT), EINTR);
  return NULL;
}

CASE(write_resid, tells_what_is_left_when_interrupted) {
  arrange();
  source = large_text();
  st_thread_t writer = spawn(write_until_interrupted, NULL);
  pass();
  st_thread_interrupt(writer);
  join(writer);
  CHECK_EQ(drain(st_netfd_fileno(end[1])), kLarge - unsent);
}

CASE(write_resid, tells_what_is_left_when_the_peer_is_gone) {
  arrange();
  CHECK_EQ(st_netfd_close(end[1]), 0);
  size_t left = 5;
  CHECK_FAILS(st_write_resid(end[0], "abcde", &left, ST_UTIME_NO_TIMEOUT), EPIPE);
  CHECK_EQ(left, 5);
}

static void* write_slowly(void* result) {
  *(ssize_t*)result = st_write(end[0], source, kLarge, 1000000);
  return NULL;
}

// A reader that takes a little every 0.6 s keeps a write with a timeout of a second alive for as
// long as it takes.
CASE_BEFORE_INIT(write, progress_starts_the_timeout_again) {
  start_with_still_clock();
  arrange();
  source = large_text();
  ssize_t result = 0;
  st_thread_t writer = spawn(write_slowly, &result);
  pass();
  size_t taken = 0;
  int steps = 0;
  for (; taken < kLarge; ++steps) {
    const size_t more = drain(st_netfd_fileno(end[1]));
    CHECK(more > 0);
    taken += more;
    advance_clock_and_run(600000);
  }
  join(writer);
  CHECK_EQ(result, kLarge);
  CHECK(steps > 2);
}
