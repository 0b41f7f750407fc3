// Interrupts beyond the rules that every blocking call shares (every_blocking_call.c).
#include "support.h"

CASE(interrupt, is_kept_by_a_running_thread_for_its_next_wait) {
  st_thread_interrupt(st_thread_self());
  st_thread_interrupt(st_thread_self());
  CHECK_FAILS(st_usleep(0), EINTR);
  CHECK_EQ(st_usleep(0), 0);
}

static void* write_then_sleep(void* text) {
  letter(*(char*)text);
  CHECK_FAILS(st_usleep(ST_UTIME_NO_TIMEOUT), EINTR);
  letter(*(char*)text);
  return NULL;
}

CASE(interrupt, of_a_runnable_thread_waits_for_its_check_point) {
  static char a[] = "a";
  st_thread_t thread = spawn(write_then_sleep, a);
  st_thread_interrupt(thread);
  CHECK_TEXT(letters(), "");
  join(thread);
  CHECK_TEXT(letters(), "aa");
}

CASE(interrupt, wakes_in_the_order_of_the_interrupts) {
  static char a[] = "a", b[] = "b", c[] = "c";
  st_thread_t one = spawn(write_then_sleep, a);
  st_thread_t two = spawn(write_then_sleep, b);
  pass();
  forget_letters();
  st_thread_interrupt(two);
  st_thread_interrupt(one);
  CHECK(st_thread_create(write_letter, c, 0, 0) != NULL);
  CHECK_TEXT(letters(), "");
  pass();
  CHECK_TEXT(letters(), "bac");
}

static void* interrupt_it(void* thread) {
  st_thread_interrupt(thread);
  return NULL;
}

CASE(interrupt, reaches_the_primordial_thread) {
  spawn(interrupt_it, st_thread_self());
  CHECK_FAILS(st_usleep(ST_UTIME_NO_TIMEOUT), EINTR);
}

CASE(interrupt, ends_a_sleep_without_end) {
  spawn(interrupt_it, st_thread_self());
  CHECK_FAILS(st_sleep(-1), EINTR);
  spawn(interrupt_it, st_thread_self());
  CHECK_FAILS(st_sleep(-100), EINTR);
}

CASE(interrupt, of_a_sleep_does_not_switch_when_pending) {
  static char a[] = "a";
  spawn(write_letter, a);
  st_thread_interrupt(st_thread_self());
  CHECK_FAILS(st_usleep(0), EINTR);
  CHECK_TEXT(letters(), "");
}

struct Sleeper {
  st_utime_t time;
  st_thread_t victim;
  int result;
  int error;
};

static void* sleep_then_interrupt(void* argument) {
  struct Sleeper* one = argument;
  one->result = st_usleep(one->time);
  one->error = errno;
  if (one->victim != NULL) st_thread_interrupt(one->victim);
  return NULL;
}

// Both deadlines pass at once; the first to run interrupts the second, whose sleep is over but has
// not been reported.
CASE_BEFORE_INIT(interrupt, outweighs_a_sleep_that_is_over) {
  start_with_still_clock();
  struct Sleeper late = {.time = 2000};
  struct Sleeper early = {.time = 1000};
  early.victim = spawn(sleep_then_interrupt, &late);
  st_thread_t first = spawn(sleep_then_interrupt, &early);
  pass();
  advance_clock(5000);
  join(first);
  join(early.victim);
  CHECK_EQ(early.result, 0);
  CHECK_EQ(late.result, -1);
  CHECK_EQ(late.error, EINTR);
}

struct Reader {
  st_netfd_t from;
  st_thread_t victim;
  int result;
  int error;
};

static void* poll_then_interrupt(void* argument) {
  struct Reader* one = argument;
  struct pollfd polled = {.fd = st_netfd_fileno(one->from), .events = POLLIN};
  one->result = st_poll(&polled, 1, ST_UTIME_NO_TIMEOUT);
  one->error = errno;
  if (one->victim != NULL) st_thread_interrupt(one->victim);
  return NULL;
}

static void* read_a_byte(void* argument) {
  struct Reader* one = argument;
  char byte;
  one->result = (int)st_read(one->from, &byte, 1, ST_UTIME_NO_TIMEOUT);
  one->error = errno;
  return NULL;
}

// The victim's data arrives in the same pass as that of the thread which interrupts it.
static void interrupt_outweighs_readiness_of(void* (*victim)(void*)) {
  st_netfd_t one[2];
  st_netfd_t two[2];
  stream_pair(one);
  stream_pair(two);
  struct Reader second = {.from = two[0]};
  struct Reader first = {.from = one[0]};
  st_thread_t interrupter = spawn(poll_then_interrupt, &first);
  first.victim = spawn(victim, &second);
  pass();
  put(st_netfd_fileno(one[1]), "x");
  put(st_netfd_fileno(two[1]), "y");
  join(interrupter);
  join(first.victim);
  CHECK_EQ(first.result, 1);
  CHECK_EQ(second.result, -1);
  CHECK_EQ(second.error, EINTR);
  char byte = 0;
  CHECK_EQ(st_read(two[0], &byte, 1, 0), 1);
  CHECK_EQ(byte, 'y');
}

CASE(interrupt, outweighs_a_ready_descriptor) {
  interrupt_outweighs_readiness_of(poll_then_interrupt);
}

CASE(interrupt, outweighs_data_that_a_reader_waited_for) {
  if (event_system_is("io_uring"))
    skip("the kernel has transferred the data; they must not be lost");
  interrupt_outweighs_readiness_of(read_a_byte);
}

CASE(interrupt, pending_refuses_a_poll_of_a_ready_descriptor_without_switching) {
  static char a[] = "a";
  st_netfd_t end[2];
  stream_pair(end);
  put(st_netfd_fileno(end[1]), "x");
  spawn(write_letter, a);
  st_thread_interrupt(st_thread_self());
  CHECK_FAILS(st_netfd_poll(end[0], POLLIN, ST_UTIME_NO_TIMEOUT), EINTR);
  CHECK_TEXT(letters(), "");
  CHECK_EQ(st_netfd_poll(end[0], POLLIN, ST_UTIME_NO_TIMEOUT), 0);
}

static void* ignore_interrupts(void* end) {
  char byte;
  int interrupts = 0;
  while (st_read(end, &byte, 1, ST_UTIME_NO_TIMEOUT) != 1) {
    CHECK_EQ(errno, EINTR);
    ++interrupts;
  }
  return (void*)(intptr_t)interrupts;
}

CASE(interrupt, can_be_ignored_and_the_wait_repeated) {
  st_netfd_t end[2];
  stream_pair(end);
  st_thread_t reader = spawn(ignore_interrupts, end[0]);
  for (int i = 0; i < 3; ++i) {
    pass();
    st_thread_interrupt(reader);
  }
  pass();
  put(st_netfd_fileno(end[1]), "x");
  CHECK_EQ((intptr_t)join(reader), 3);
}
