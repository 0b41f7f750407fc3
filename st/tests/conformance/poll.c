// st_poll and st_netfd_poll: counts, refusals, hang-ups, several waiters on one descriptor.
#include <stdio.h>

#include "support.h"

static char a[] = "a";

static struct pollfd ask(st_netfd_t end, short events) {
  return (struct pollfd){.fd = st_netfd_fileno(end), .events = events, .revents = 0x7777};
}

CASE(poll, always_lets_others_run_even_if_ready) {
  st_netfd_t end[2];
  stream_pair(end);
  put(st_netfd_fileno(end[1]), "x");
  spawn(write_letter, a);
  struct pollfd one = ask(end[0], POLLIN);
  CHECK_EQ(st_poll(&one, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_TEXT(letters(), "a");
  CHECK_EQ(one.revents, POLLIN);
}

CASE(poll, netfd_poll_always_lets_others_run_even_if_ready) {
  st_netfd_t end[2];
  stream_pair(end);
  spawn(write_letter, a);
  CHECK_EQ(st_netfd_poll(end[0], POLLOUT, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_TEXT(letters(), "a");
}

CASE(poll, of_nothing_is_a_sleep) {
  spawn(write_letter, a);
  CHECK_EQ(st_poll(NULL, 0, 0), 0);
  CHECK_TEXT(letters(), "a");
  const st_utime_t before = st_utime_last_clock();
  CHECK_EQ(st_poll(NULL, 0, 3000), 0);
  CHECK(st_utime_last_clock() - before >= 3000);
}

CASE(poll, timeout_leaves_errno_alone) {
  st_netfd_t end[2];
  stream_pair(end);
  struct pollfd one = ask(end[0], POLLIN);
  errno = ESRCH;
  CHECK_EQ(st_poll(&one, 1, 0), 0);
  CHECK_EQ(errno, ESRCH);
}

CASE(poll, counts_the_ready_entries) {
  st_netfd_t one[2];
  st_netfd_t two[2];
  st_netfd_t three[2];
  stream_pair(one), stream_pair(two), stream_pair(three);
  put(st_netfd_fileno(one[1]), "x");
  put(st_netfd_fileno(three[1]), "x");
  struct pollfd all[] = {ask(one[0], POLLIN), ask(two[0], POLLIN), ask(three[0], POLLIN),
                         ask(one[0], POLLOUT)};
  CHECK_EQ(st_poll(all, 4, ST_UTIME_NO_TIMEOUT), 3);
  CHECK_EQ(all[0].revents, POLLIN);
  CHECK_EQ(all[1].revents, 0);
  CHECK_EQ(all[2].revents, POLLIN);
  CHECK_EQ(all[3].revents, POLLOUT);
}

CASE(poll, one_entry_can_be_ready_for_both) {
  st_netfd_t end[2];
  stream_pair(end);
  put(st_netfd_fileno(end[1]), "x");
  struct pollfd one = ask(end[0], POLLIN | POLLOUT);
  CHECK_EQ(st_poll(&one, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(one.revents, POLLIN | POLLOUT);
}

CASE(poll, same_descriptor_twice_counts_twice) {
  st_netfd_t end[2];
  stream_pair(end);
  put(st_netfd_fileno(end[1]), "x");
  struct pollfd both[] = {ask(end[0], POLLIN), ask(end[0], POLLIN)};
  CHECK_EQ(st_poll(both, 2, ST_UTIME_NO_TIMEOUT), 2);
  CHECK_EQ(both[0].revents, POLLIN);
  CHECK_EQ(both[1].revents, POLLIN);
}

CASE(poll, hundreds_of_descriptors) {
  enum { kPairs = 200 };
  st_netfd_t end[kPairs][2];
  struct pollfd all[kPairs];
  for (int i = 0; i < kPairs; ++i) {
    stream_pair(end[i]);
    all[i] = ask(end[i][0], POLLIN);
    if (i % 10 == 0) put(st_netfd_fileno(end[i][1]), "x");
  }
  CHECK_EQ(st_poll(all, kPairs, ST_UTIME_NO_TIMEOUT), kPairs / 10);
  for (int i = 0; i < kPairs; ++i) CHECK_EQ(all[i].revents, i % 10 == 0 ? POLLIN : 0);
}

CASE(poll, negative_descriptor_is_refused) {
  struct pollfd one = {.fd = -1, .events = POLLIN};
  CHECK_FAILS(st_poll(&one, 1, ST_UTIME_NO_TIMEOUT), EINVAL);
}

CASE(poll, no_events_are_refused) {
  st_netfd_t end[2];
  stream_pair(end);
  struct pollfd one = ask(end[0], 0);
  CHECK_FAILS(st_poll(&one, 1, ST_UTIME_NO_TIMEOUT), EINVAL);
  CHECK_FAILS(st_netfd_poll(end[0], 0, ST_UTIME_NO_TIMEOUT), EINVAL);
}

CASE(poll, unsupported_events_are_refused) {
  if (!event_system_is("select") && !event_system_is("epoll")) skip("about select and epoll");
  st_netfd_t end[2];
  stream_pair(end);
  const short refused[] = {POLLERR, POLLRDHUP, POLLIN | POLLERR, POLLIN | POLLOUT | POLLHUP};
  for (int i = 0; i < COUNT_OF(refused); ++i) {
    struct pollfd one = ask(end[0], refused[i]);
    CHECK_FAILS(st_poll(&one, 1, ST_UTIME_NO_TIMEOUT), EINVAL);
    CHECK_FAILS(st_netfd_poll(end[0], refused[i], ST_UTIME_NO_TIMEOUT), EINVAL);
  }
}

CASE(poll, any_events_are_passed_on_by_poll) {
  if (!event_system_is("poll")) skip("about poll");
  st_netfd_t end[2];
  stream_pair(end);
  struct pollfd one = ask(end[0], POLLIN | POLLERR | POLLRDHUP);
  CHECK_EQ(st_poll(&one, 1, 0), 0);
  CHECK_EQ(shutdown(st_netfd_fileno(end[1]), SHUT_WR), 0);
  CHECK_EQ(st_poll(&one, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(one.revents, POLLIN | POLLRDHUP);
  CHECK_EQ(st_netfd_poll(end[0], POLLRDHUP, ST_UTIME_NO_TIMEOUT), 0);
}

CASE(poll, interrupt_is_reported_before_an_invalid_argument) {
  struct pollfd nothing = {.fd = -1, .events = POLLIN};
  st_thread_interrupt(st_thread_self());
  CHECK_FAILS(st_poll(&nothing, 1, ST_UTIME_NO_TIMEOUT), EINTR);
  CHECK_FAILS(st_poll(&nothing, 1, ST_UTIME_NO_TIMEOUT), EINVAL);
}

CASE(poll, descriptor_that_select_cannot_hold_is_refused) {
  if (!event_system_is("select")) skip("about select");
  struct pollfd one = {.fd = FD_SETSIZE, .events = POLLIN};
  CHECK_FAILS(st_poll(&one, 1, ST_UTIME_NO_TIMEOUT), EINVAL);
}

CASE(poll, one_refused_entry_leaves_nothing_registered) {
  st_netfd_t end[2];
  stream_pair(end);
  struct pollfd all[] = {ask(end[0], POLLIN), {.fd = -5, .events = POLLIN}};
  CHECK_FAILS(st_poll(all, 2, ST_UTIME_NO_TIMEOUT), EINVAL);
  CHECK_EQ(st_netfd_close(end[0]), 0);
}

static void* poll_in(void* end) {
  struct pollfd one = ask(end, POLLIN);
  CHECK_EQ(st_poll(&one, 1, ST_UTIME_NO_TIMEOUT), 1);
  letter('i');
  return NULL;
}

static void* poll_out(void* end) {
  struct pollfd one = ask(end, POLLOUT);
  CHECK_EQ(st_poll(&one, 1, ST_UTIME_NO_TIMEOUT), 1);
  letter('o');
  return NULL;
}

static void* netfd_poll_in(void* end) {
  CHECK_EQ(st_netfd_poll(end, POLLIN, ST_UTIME_NO_TIMEOUT), 0);
  letter('n');
  return NULL;
}

CASE(poll, all_waiters_of_a_descriptor_are_woken_in_the_order_of_waiting) {
  st_netfd_t end[2];
  stream_pair(end);
  spawn(netfd_poll_in, end[0]), spawn(poll_in, end[0]), spawn(netfd_poll_in, end[0]);
  pass();
  put(st_netfd_fileno(end[1]), "x");
  pass();
  pass();
  CHECK_TEXT(letters(), "nin");
}

CASE(poll, waiters_are_woken_for_their_own_events) {
  st_netfd_t end[2];
  stream_pair(end);
  fill(st_netfd_fileno(end[0]));
  spawn(poll_in, end[0]), spawn(poll_out, end[0]);
  pass();
  drain(st_netfd_fileno(end[1]));
  pass();
  pass();
  CHECK_TEXT(letters(), "o");
  put(st_netfd_fileno(end[1]), "x");
  pass();
  pass();
  CHECK_TEXT(letters(), "oi");
}

struct Named {
  st_netfd_t end;
  char name;
};

static void* wait_by_name(void* argument) {
  struct Named* one = argument;
  CHECK_EQ(st_netfd_poll(one->end, POLLIN, ST_UTIME_NO_TIMEOUT), 0);
  letter(one->name);
  return NULL;
}

CASE(poll, order_of_waiting_decides_not_the_order_of_arrival) {
  st_netfd_t one[2];
  st_netfd_t two[2];
  st_netfd_t three[2];
  stream_pair(one), stream_pair(two), stream_pair(three);
  struct Named first = {three[0], '1'}, second = {one[0], '2'}, third = {two[0], '3'};
  spawn(wait_by_name, &first), spawn(wait_by_name, &second), spawn(wait_by_name, &third);
  pass();
  put(st_netfd_fileno(two[1]), "x");
  put(st_netfd_fileno(one[1]), "x");
  put(st_netfd_fileno(three[1]), "x");
  pass();
  pass();
  CHECK_TEXT(letters(), "123");
}

CASE(poll, hang_up_counts_as_readable) {
  st_netfd_t end[2];
  stream_pair(end);
  struct pollfd one = ask(end[0], POLLIN);
  CHECK_EQ(st_netfd_close(end[1]), 0);
  CHECK_EQ(st_poll(&one, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK(one.revents & POLLIN);
  CHECK_EQ(st_netfd_poll(end[0], POLLIN, ST_UTIME_NO_TIMEOUT), 0);
}

CASE(poll, hang_up_wakes_a_waiter) {
  st_netfd_t end[2];
  stream_pair(end);
  st_thread_t waiter = spawn(poll_in, end[0]);
  pass();
  CHECK_EQ(st_netfd_close(end[1]), 0);
  join(waiter);
}

CASE(poll, writer_is_woken_when_the_last_reader_goes) {
  st_netfd_t end[2];
  pipe_pair(end);
  fill(st_netfd_fileno(end[1]));
  st_thread_t waiter = spawn(poll_out, end[1]);
  pass();
  CHECK_EQ(st_netfd_close(end[0]), 0);
  join(waiter);
  CHECK_FAILS(st_write(end[1], "x", 1, 0), EPIPE);
}

CASE(poll, urgent_data_is_priority) {
  int client;
  st_netfd_t server = tcp_connection(&client);
  CHECK_FAILS(st_netfd_poll(server, POLLPRI, 0), ETIME);
  CHECK_EQ(send(client, "!", 1, MSG_OOB), 1);
  struct pollfd one = ask(server, POLLPRI);
  CHECK_EQ(st_poll(&one, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(one.revents, POLLPRI);
}

CASE(poll, closed_descriptor_is_invalid) {
  if (!event_system_is("select") && !event_system_is("poll")) skip("about select and poll");
  st_netfd_t end[2];
  stream_pair(end);
  CHECK_EQ(close(st_netfd_fileno(end[0])), 0);
  struct pollfd one = ask(end[0], POLLIN);
  CHECK_EQ(st_poll(&one, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(one.revents, POLLNVAL);
  CHECK_FAILS(st_netfd_poll(end[0], POLLIN, ST_UTIME_NO_TIMEOUT), EBADF);
}

static void* expect_invalid(void* end) {
  CHECK_FAILS(st_netfd_poll(end, POLLIN, ST_UTIME_NO_TIMEOUT), EBADF);
  return NULL;
}

CASE(poll, descriptor_closed_under_a_waiter_is_invalid) {
  if (!event_system_is("select") && !event_system_is("poll")) skip("about select and poll");
  st_netfd_t end[2];
  stream_pair(end);
  st_thread_t waiter = spawn(expect_invalid, end[0]);
  pass();
  CHECK_EQ(close(st_netfd_fileno(end[0])), 0);
  join(waiter);
}

CASE(poll, one_closed_descriptor_does_not_hide_the_others) {
  if (!event_system_is("select") && !event_system_is("poll")) skip("about select and poll");
  st_netfd_t one[2];
  st_netfd_t two[2];
  stream_pair(one);
  stream_pair(two);
  st_thread_t waiter = spawn(poll_in, two[0]);
  st_thread_t unlucky = spawn(expect_invalid, one[0]);
  pass();
  CHECK_EQ(close(st_netfd_fileno(one[0])), 0);
  join(unlucky);
  CHECK_TEXT(letters(), "");
  put(st_netfd_fileno(two[1]), "x");
  join(waiter);
}

CASE(poll, can_be_repeated_while_data_is_left) {
  st_netfd_t end[2];
  stream_pair(end);
  put(st_netfd_fileno(end[1]), "abc");
  for (int i = 0; i < 3; ++i) {
    struct pollfd one = ask(end[0], POLLIN);
    CHECK_EQ(st_poll(&one, 1, ST_UTIME_NO_TIMEOUT), 1);
    CHECK_EQ(st_netfd_poll(end[0], POLLIN, ST_UTIME_NO_TIMEOUT), 0);
  }
  CHECK_EQ(drain(st_netfd_fileno(end[0])), 3);
  CHECK_FAILS(st_netfd_poll(end[0], POLLIN, 0), ETIME);
}

// A descriptor number is used again by another file; what was known about the old one must be
// forgotten.
CASE(poll, raw_descriptor_number_used_again) {
  int end[2];
  for (int i = 0; i < 3; ++i) {
    raw_pair(SOCK_STREAM, end);
    struct pollfd one = {.fd = end[0], .events = POLLIN};
    CHECK_EQ(st_poll(&one, 1, 0), 0);
    put(end[1], "x");
    CHECK_EQ(st_poll(&one, 1, ST_UTIME_NO_TIMEOUT), 1);
    CHECK_EQ(close(end[0]), 0);
    CHECK_EQ(close(end[1]), 0);
  }
}

CASE(poll, blocking_descriptor_that_nobody_wrapped) {
  int end[2];
  raw_pair(SOCK_STREAM, end);
  struct pollfd both[] = {{.fd = end[0], .events = POLLIN}, {.fd = end[1], .events = POLLOUT}};
  CHECK_EQ(st_poll(both, 2, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(both[1].revents, POLLOUT);
}

CASE(poll, regular_file_is_always_ready) {
  if (!event_system_is("select") && !event_system_is("poll")) skip("about select and poll");
  FILE* file = tmpfile();
  CHECK(file != NULL);
  struct pollfd one = {.fd = fileno(file), .events = POLLIN};
  CHECK_EQ(st_poll(&one, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(one.revents, POLLIN);
}

enum { kCrowd = 300 };
static int woken_from_crowd;

static void* wait_in_crowd(void* end) {
  CHECK_EQ(st_netfd_poll(end, POLLIN, ST_UTIME_NO_TIMEOUT), 0);
  ++woken_from_crowd;
  return NULL;
}

CASE(poll, hundreds_of_threads_wait_each_for_its_own) {
  st_netfd_t ends[kCrowd][2];
  st_thread_t threads[kCrowd];
  for (int i = 0; i < kCrowd; ++i) {
    stream_pair(ends[i]);
    threads[i] = spawn(wait_in_crowd, ends[i][0]);
  }
  pass();
  for (int i = kCrowd - 1; i >= 0; --i) {
    put(st_netfd_fileno(ends[i][1]), "x");
    join(threads[i]);
    CHECK_EQ(woken_from_crowd, kCrowd - i);
  }
}
