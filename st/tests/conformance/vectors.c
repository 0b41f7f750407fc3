// Scattered reads and gathered writes: which of them change the caller's array, and how.
#include <stdlib.h>
#include <string.h>

#include "support.h"

static st_netfd_t end[2];
static int far;
static char text[64];

static void arrange(void) {
  stream_pair(end);
  far = st_netfd_fileno(end[1]);
}

static void check_element(const struct iovec* element, const char* base, size_t length) {
  CHECK_EQ((char*)element->iov_base - text, base - text);
  CHECK_EQ(element->iov_len, length);
}

CASE(readv, fills_the_elements_in_turn) {
  arrange();
  struct iovec vector[] = {{text, 2}, {text + 10, 3}, {text + 20, 4}};
  put(far, "abcdefg");
  CHECK_EQ(st_readv(end[0], vector, 3, ST_UTIME_NO_TIMEOUT), 7);
  CHECK_TEXT(text, "ab");
  CHECK_TEXT(text + 10, "cde");
  CHECK_TEXT(text + 20, "fg");
  check_element(&vector[0], text, 2);
  check_element(&vector[2], text + 20, 4);
}

CASE(readv, end_of_file_is_zero) {
  arrange();
  struct iovec vector[] = {{text, 2}, {text + 2, 2}};
  CHECK_EQ(st_netfd_close(end[1]), 0);
  CHECK_EQ(st_readv(end[0], vector, 2, ST_UTIME_NO_TIMEOUT), 0);
}

static void* feed(void* pieces) {
  for (const char* next = pieces; *next != '\0'; ++next) {
    put(far, (char[]){*next, '\0'});
    pass();
  }
  return NULL;
}

CASE(readv_resid, consumed_elements_are_empty_and_moved_past_their_data) {
  arrange();
  static char pieces[] = "abcdefg";
  struct iovec vector[] = {{text, 2}, {text + 10, 3}, {text + 20, 2}};
  struct iovec* rest = vector;
  int count = 3;
  spawn(feed, pieces);
  CHECK_EQ(st_readv_resid(end[0], &rest, &count, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(count, 0);
  CHECK_EQ(rest - vector, 3);
  check_element(&vector[0], text + 2, 0);
  check_element(&vector[1], text + 13, 0);
  check_element(&vector[2], text + 22, 0);
  CHECK_TEXT(text, "ab");
  CHECK_TEXT(text + 10, "cde");
  CHECK_TEXT(text + 20, "fg");
}

CASE(readv_resid, end_of_file_is_success_with_elements_left) {
  arrange();
  struct iovec vector[] = {{text, 2}, {text + 10, 3}, {text + 20, 2}};
  struct iovec* rest = vector;
  int count = 3;
  put(far, "abc");
  CHECK_EQ(st_netfd_close(end[1]), 0);
  CHECK_EQ(st_readv_resid(end[0], &rest, &count, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(count, 2);
  CHECK_EQ(rest - vector, 1);
  check_element(&vector[0], text + 2, 0);
  check_element(&vector[1], text + 11, 2);
  check_element(&vector[2], text + 20, 2);
}

CASE(readv_resid, can_go_on_after_a_timeout) {
  arrange();
  struct iovec vector[] = {{text, 4}, {text + 4, 4}};
  struct iovec* rest = vector;
  int count = 2;
  put(far, "abcdef");
  CHECK_FAILS(st_readv_resid(end[0], &rest, &count, 1000), ETIME);
  CHECK_EQ(count, 1);
  CHECK_EQ(rest - vector, 1);
  check_element(rest, text + 6, 2);
  put(far, "gh");
  CHECK_EQ(st_readv_resid(end[0], &rest, &count, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(count, 0);
  CHECK_TEXT(text, "abcdefgh");
}

CASE(readv_resid, of_no_elements_succeeds_without_a_system_call) {
  st_netfd_t tube[2];
  pipe_pair(tube);
  struct iovec* rest = NULL;
  int count = 0;
  // The write end of a pipe cannot be read, so a system call would fail.
  CHECK_EQ(st_readv_resid(tube[1], &rest, &count, 0), 0);
  CHECK_EQ(count, 0);
}

enum { kElements = 40, kElementBytes = 5000, kTotal = kElements * kElementBytes };

static struct iovec* many_elements(void) {
  char* bytes = malloc(kTotal);
  struct iovec* vector = malloc(kElements * sizeof *vector);
  CHECK(bytes != NULL && vector != NULL);
  for (int i = 0; i < kTotal; ++i) bytes[i] = (char)(i * 17 + i / 101);
  for (int i = 0; i < kElements; ++i)
    vector[i] = (struct iovec){bytes + i * kElementBytes, kElementBytes};
  return vector;
}

static size_t received;

static void* receive_all(void* expected) {
  char block[700];
  ssize_t got;
  while ((got = st_read(end[1], block, sizeof block, ST_UTIME_NO_TIMEOUT)) > 0) {
    CHECK(memcmp(block, (char*)expected + received, (size_t)got) == 0);
    received += (size_t)got;
  }
  CHECK_EQ(got, 0);
  return NULL;
}

static void writev_keeps_the_array(int count) {
  arrange();
  struct iovec* vector = many_elements();
  struct iovec before[kElements];
  memcpy(before, vector, sizeof before);
  st_thread_t reader = spawn(receive_all, vector[0].iov_base);
  CHECK_EQ(st_writev(end[0], vector, count, ST_UTIME_NO_TIMEOUT), count * kElementBytes);
  CHECK(memcmp(before, vector, sizeof before) == 0);
  CHECK_EQ(st_netfd_close(end[0]), 0);
  join(reader);
  CHECK_EQ(received, count * kElementBytes);
}

CASE(writev, few_elements_in_many_parts_keep_the_array) { writev_keeps_the_array(3); }
CASE(writev, sixteen_elements_in_many_parts_keep_the_array) { writev_keeps_the_array(16); }
CASE(writev, many_elements_in_many_parts_keep_the_array) { writev_keeps_the_array(kElements); }

CASE(writev, that_times_out_keeps_the_array) {
  arrange();
  struct iovec* vector = many_elements();
  struct iovec before[kElements];
  memcpy(before, vector, sizeof before);
  CHECK_FAILS(st_writev(end[0], vector, kElements, 1000), ETIME);
  CHECK(memcmp(before, vector, sizeof before) == 0);
}

CASE(writev, empty_elements_do_not_matter) {
  arrange();
  struct iovec vector[] = {{text, 0}, {"ab", 2}, {text, 0}, {"c", 1}, {text, 0}};
  CHECK_EQ(st_writev(end[0], vector, 5, ST_UTIME_NO_TIMEOUT), 3);
  CHECK_EQ(st_read(end[1], text, 8, 0), 3);
  CHECK_TEXT(text, "abc");
}

// The read end of a pipe cannot be written, so a system call would fail.
CASE(writev, of_no_bytes_is_zero_without_a_system_call) {
  st_netfd_t tube[2];
  pipe_pair(tube);
  struct iovec vector[] = {{text, 0}, {text, 0}};
  CHECK_EQ(st_writev(tube[0], vector, 2, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(st_writev(tube[0], vector, 0, ST_UTIME_NO_TIMEOUT), 0);
  vector[0].iov_len = 1;
  CHECK_FAILS(st_writev(tube[0], vector, 2, ST_UTIME_NO_TIMEOUT), EBADF);
}

CASE(writev_resid, consumed_elements_are_empty_and_moved_past_their_data) {
  arrange();
  memcpy(text, "abcdefgh", 8);
  struct iovec vector[] = {{text, 3}, {text + 3, 5}};
  struct iovec* rest = vector;
  int count = 2;
  CHECK_EQ(st_writev_resid(end[0], &rest, &count, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(count, 0);
  CHECK_EQ(rest - vector, 2);
  check_element(&vector[0], text + 3, 0);
  check_element(&vector[1], text + 8, 0);
  CHECK_EQ(drain(far), 8);
}

CASE(writev_resid, can_go_on_after_a_timeout) {
  arrange();
  struct iovec* vector = many_elements();
  char* bytes = vector[0].iov_base;
  struct iovec* rest = vector;
  int count = kElements;
  CHECK_FAILS(st_writev_resid(end[0], &rest, &count, 1000), ETIME);
  CHECK(count > 0);
  CHECK_EQ(rest - vector, kElements - count);
  for (struct iovec* done = vector; done < rest; ++done) CHECK_EQ(done->iov_len, 0);
  size_t left = 0;
  for (int i = 0; i < count; ++i) left += rest[i].iov_len;
  CHECK_EQ((char*)rest->iov_base - bytes, kTotal - left);
  st_thread_t reader = spawn(receive_all, bytes);
  CHECK_EQ(st_writev_resid(end[0], &rest, &count, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(count, 0);
  CHECK_EQ(st_netfd_close(end[0]), 0);
  join(reader);
  CHECK_EQ(received, kTotal);
}

CASE(writev_resid, keeps_everything_when_the_peer_is_gone) {
  arrange();
  struct iovec vector[] = {{text, 3}, {text + 3, 5}};
  struct iovec* rest = vector;
  int count = 2;
  CHECK_EQ(st_netfd_close(end[1]), 0);
  CHECK_FAILS(st_writev_resid(end[0], &rest, &count, ST_UTIME_NO_TIMEOUT), EPIPE);
  CHECK_EQ(count, 2);
  CHECK(rest == vector);
  check_element(&vector[0], text, 3);
}

CASE(writev_resid, of_no_elements_succeeds_without_a_system_call) {
  st_netfd_t tube[2];
  pipe_pair(tube);
  struct iovec* rest = NULL;
  int count = 0;
  CHECK_EQ(st_writev_resid(tube[0], &rest, &count, ST_UTIME_NO_TIMEOUT), 0);
}
