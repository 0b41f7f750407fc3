// Reading: one read, all of it, and what is left when that fails.
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "support.h"

static st_netfd_t end[2];
static int far;

static void arrange(void) {
  stream_pair(end);
  far = st_netfd_fileno(end[1]);
}

CASE(read, returns_what_is_there) {
  arrange();
  char text[16] = "";
  put(far, "abc");
  CHECK_EQ(st_read(end[0], text, sizeof text, ST_UTIME_NO_TIMEOUT), 3);
  CHECK_TEXT(text, "abc");
}

CASE(read, returns_no_more_than_asked_for) {
  arrange();
  char text[3] = "";
  put(far, "abcd");
  CHECK_EQ(st_read(end[0], text, 2, ST_UTIME_NO_TIMEOUT), 2);
  CHECK_TEXT(text, "ab");
  CHECK_EQ(st_read(end[0], text, 2, ST_UTIME_NO_TIMEOUT), 2);
  CHECK_TEXT(text, "cd");
}

CASE(read, end_of_file_is_zero_again_and_again) {
  arrange();
  char byte;
  put(far, "x");
  CHECK_EQ(st_netfd_close(end[1]), 0);
  CHECK_EQ(st_read(end[0], &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(st_read(end[0], &byte, 1, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(st_read(end[0], &byte, 1, 0), 0);
}

CASE(read, of_no_bytes_does_not_wait) {
  arrange();
  char byte;
  CHECK_EQ(st_read(end[0], &byte, 0, ST_UTIME_NO_TIMEOUT), 0);
}

CASE(read, short_read_does_not_hide_what_comes_later) {
  arrange();
  char text[64];
  for (int i = 0; i < 5; ++i) {
    put(far, "abc");
    CHECK_EQ(st_read(end[0], text, sizeof text, ST_UTIME_NO_TIMEOUT), 3);
    CHECK_FAILS(st_read(end[0], text, sizeof text, 0), ETIME);
  }
}

CASE(read, errors_of_the_kernel_come_through) {
  st_netfd_t tube[2];
  pipe_pair(tube);
  char byte;
  CHECK_FAILS(st_read(tube[1], &byte, 1, 0), EBADF);
  CHECK_FAILS(st_read(tcp_socket(), &byte, 1, 0), ENOTCONN);
}

CASE(read, reset_connection_wakes_the_reader) {
  int client;
  st_netfd_t server = tcp_connection(&client);
  const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
  CHECK_EQ(setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
  CHECK_EQ(close(client), 0);
  char byte;
  CHECK_FAILS(st_read(server, &byte, 1, ST_UTIME_NO_TIMEOUT), ECONNRESET);
}

// A short read says that there was no more then; it does not say that there is no more now.
CASE(read, data_that_followed_a_short_read_do_not_switch) {
  int client;
  st_netfd_t server = tcp_connection(&client);
  char text[16];
  put(client, "abc");
  CHECK_EQ(st_read(server, text, sizeof text, ST_UTIME_NO_TIMEOUT), 3);
  put(client, "de");
  until_readable(st_netfd_fileno(server), 2);
  static char b[] = "b";
  spawn(write_letter, b);
  st_thread_interrupt(st_thread_self());
  CHECK_EQ(st_read(server, text, sizeof text, ST_UTIME_NO_TIMEOUT), 2);
  CHECK_TEXT(letters(), "");
  CHECK_FAILS(st_usleep(0), EINTR);
}

CASE(read, data_that_followed_a_failed_read_do_not_switch) {
  arrange();
  char text[16];
  CHECK_FAILS(st_read(end[0], text, sizeof text, 0), ETIME);
  put(far, "de");
  static char b[] = "b";
  spawn(write_letter, b);
  st_thread_interrupt(st_thread_self());
  CHECK_EQ(st_read(end[0], text, sizeof text, ST_UTIME_NO_TIMEOUT), 2);
  CHECK_TEXT(letters(), "");
}

CASE(read, of_no_bytes_does_not_wait_when_known_to_be_empty) {
  arrange();
  char byte;
  CHECK_FAILS(st_read(end[0], &byte, 1, 0), ETIME);
  CHECK_EQ(st_read(end[0], &byte, 0, ST_UTIME_NO_TIMEOUT), 0);
}

CASE(read, after_ones_own_shutdown_is_the_end_of_file) {
  arrange();
  char byte;
  CHECK_FAILS(st_read(end[0], &byte, 1, 0), ETIME);
  CHECK_EQ(shutdown(st_netfd_fileno(end[0]), SHUT_RD), 0);
  CHECK_EQ(st_read(end[0], &byte, 1, ST_UTIME_NO_TIMEOUT), 0);
}

static void* read_one(void* unused) {
  (void)unused;
  char byte;
  CHECK_EQ(st_read(end[0], &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
  letter(byte);
  return NULL;
}

CASE(read, two_readers_of_one_descriptor_get_their_share) {
  arrange();
  st_thread_t one = spawn(read_one, NULL);
  st_thread_t two = spawn(read_one, NULL);
  pass();
  put(far, "x");
  pass();
  pass();
  CHECK_TEXT(letters(), "x");
  put(far, "y");
  join(one);
  join(two);
  CHECK_TEXT(letters(), "xy");
}

CASE(read, reader_and_writer_share_a_descriptor) {
  arrange();
  fill(st_netfd_fileno(end[0]));
  st_thread_t reader = spawn(read_one, NULL);
  pass();
  CHECK_FAILS(st_write(end[0], "x", 1, 0), ETIME);
  put(far, "r");
  join(reader);
  CHECK_TEXT(letters(), "r");
}

static void* feed(void* text) {
  for (const char* next = text; *next != '\0'; ++next) {
    CHECK_EQ(st_write(end[1], next, 1, ST_UTIME_NO_TIMEOUT), 1);
    pass();
  }
  return NULL;
}

static void* feed_and_close(void* text) {
  feed(text);
  CHECK_EQ(st_netfd_close(end[1]), 0);
  return NULL;
}

static char pieces[] = "abcdefgh";

CASE(read_fully, collects_the_pieces) {
  arrange();
  char text[9] = "";
  st_thread_t feeder = spawn(feed, pieces);
  CHECK_EQ(st_read_fully(end[0], text, 8, ST_UTIME_NO_TIMEOUT), 8);
  CHECK_TEXT(text, pieces);
  join(feeder);
}

CASE(read_fully, takes_no_more_than_asked_for) {
  arrange();
  char text[4] = "";
  put(far, "abcdef");
  CHECK_EQ(st_read_fully(end[0], text, 3, ST_UTIME_NO_TIMEOUT), 3);
  CHECK_TEXT(text, "abc");
  CHECK_EQ(drain(st_netfd_fileno(end[0])), 3);
}

CASE(read_fully, is_short_only_at_the_end_of_file) {
  arrange();
  char text[16] = "";
  st_thread_t feeder = spawn(feed_and_close, pieces);
  CHECK_EQ(st_read_fully(end[0], text, sizeof text, ST_UTIME_NO_TIMEOUT), 8);
  CHECK_EQ(st_read_fully(end[0], text, sizeof text, ST_UTIME_NO_TIMEOUT), 0);
  join(feeder);
}

CASE(read_fully, loses_what_it_had_when_the_time_is_over) {
  arrange();
  char text[16];
  put(far, "abc");
  CHECK_FAILS(st_read_fully(end[0], text, sizeof text, 1000), ETIME);
  CHECK_EQ(drain(st_netfd_fileno(end[0])), 0);
}

CASE(read_resid, nothing_is_left_after_success) {
  arrange();
  char text[9] = "";
  size_t left = 8;
  st_thread_t feeder = spawn(feed, pieces);
  CHECK_EQ(st_read_resid(end[0], text, &left, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(left, 0);
  CHECK_TEXT(text, pieces);
  join(feeder);
}

CASE(read_resid, end_of_file_is_success_with_something_left) {
  arrange();
  char text[16];
  size_t left = sizeof text;
  spawn(feed_and_close, pieces);
  CHECK_EQ(st_read_resid(end[0], text, &left, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(left, sizeof text - 8);
  CHECK_EQ(st_read_resid(end[0], text, &left, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(left, sizeof text - 8);
}

CASE(read_resid, tells_what_is_missing_when_the_time_is_over) {
  arrange();
  char text[10] = "";
  size_t left = 9;
  put(far, "abc");
  CHECK_FAILS(st_read_resid(end[0], text, &left, 1000), ETIME);
  CHECK_EQ(left, 6);
  put(far, "defghi");
  CHECK_EQ(st_read_resid(end[0], text + 3, &left, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(left, 0);
  CHECK_TEXT(text, "abcdefghi");
}

static size_t missing;

static void* read_until_interrupted(void* buffer) {
  missing = 8;
  CHECK_FAILS(st_read_resid(end[0], buffer, &missing, ST_UTIME_NO_TIMEOUT), EINTR);
  return NULL;
}

CASE(read_resid, tells_what_is_missing_when_interrupted) {
  arrange();
  char text[8];
  st_thread_t reader = spawn(read_until_interrupted, text);
  pass();
  put(far, "abcde");
  pass();
  pass();
  st_thread_interrupt(reader);
  join(reader);
  CHECK_EQ(missing, 3);
}

CASE(read_resid, of_no_bytes_still_asks_the_kernel) {
  st_netfd_t tube[2];
  pipe_pair(tube);
  char byte;
  size_t left = 0;
  CHECK_FAILS(st_read_resid(tube[1], &byte, &left, 0), EBADF);
  CHECK_FAILS(st_read_fully(tube[1], &byte, 0, 0), EBADF);
}

CASE(read_resid, of_no_bytes_succeeds) {
  arrange();
  char byte;
  size_t left = 0;
  CHECK_EQ(st_read_resid(end[0], &byte, &left, 0), 0);
  CHECK_EQ(left, 0);
}

static char slow_text[11];

static void* read_slowly(void* result) {
  *(ssize_t*)result = st_read_fully(end[0], slow_text, 10, 1000000);
  return NULL;
}

// Ten pieces, each 0.6 s after the one before, with a second for each wait: together they take
// longer than the timeout.
CASE_BEFORE_INIT(read_fully, every_piece_starts_the_timeout_again) {
  start_with_still_clock();
  arrange();
  ssize_t result = 0;
  st_thread_t reader = spawn(read_slowly, &result);
  pass();
  for (int i = 0; i < 10; ++i) {
    put(far, "x");
    advance_clock_and_run(600000);
  }
  join(reader);
  CHECK_EQ(result, 10);
}

CASE_BEFORE_INIT(read_fully, one_wait_that_is_too_long_ends_it) {
  start_with_still_clock();
  arrange();
  ssize_t result = 0;
  st_thread_t reader = spawn(read_slowly, &result);
  pass();
  put(far, "x");
  advance_clock_and_run(600000);
  advance_clock_and_run(1000000);
  join(reader);
  CHECK_EQ(result, -1);
}

static volatile sig_atomic_t signals_seen;

static void see_signal(__attribute__((unused)) int number) { ++signals_seen; }

static void* signal_and_feed(void* unused) {
  (void)unused;
  for (int i = 0; i < 3; ++i) {
    CHECK_EQ(raise(SIGUSR1), 0);
    pass();
  }
  put(far, "x");
  return NULL;
}

static void* send_signal_later(void* milliseconds) {
  // A child sends the signal while this process is in the kernel, waiting for an event; the data
  // follow.
  const pid_t parent = getpid();
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    usleep(1000 * *(useconds_t*)milliseconds);
    kill(parent, SIGUSR1);
    usleep(1000 * *(useconds_t*)milliseconds);
    put(far, "x");
    _exit(0);
  }
  return NULL;
}

static void catch_signal(void) {
  struct sigaction action = {.sa_handler = see_signal};  // without SA_RESTART
  CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
}

CASE(read, unix_signal_is_not_an_interrupt) {
  arrange();
  catch_signal();
  char byte;
  spawn(signal_and_feed, NULL);
  CHECK_EQ(st_read(end[0], &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(signals_seen, 3);
}

CASE(read, unix_signal_in_the_kernel_is_not_an_interrupt) {
  arrange();
  catch_signal();
  useconds_t milliseconds = 5;
  send_signal_later(&milliseconds);
  char byte;
  CHECK_EQ(st_read(end[0], &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(signals_seen, 1);
}
