// Creation, exit and join.
#include <stdio.h>
#include <string.h>

#include "support.h"

static char a[] = "a";
static char b[] = "b";
static char c[] = "c";

CASE(threads, run_in_the_order_of_their_creation) {
  st_thread_t one = spawn(write_letter, a);
  st_thread_t two = spawn(write_letter, b);
  st_thread_t three = spawn(write_letter, c);
  CHECK_TEXT(letters(), "");
  join(three);
  CHECK_TEXT(letters(), "abc");
  join(one);
  join(two);
}

static void* create_another(__attribute__((unused)) void* unused) {
  letter('x');
  CHECK(st_thread_create(write_letter, c, 0, 0) != NULL);
  letter('y');
  return NULL;
}

CASE(threads, new_thread_queues_behind_those_that_can_run) {
  spawn(create_another, NULL);
  spawn(write_letter, a);
  pass();
  CHECK_TEXT(letters(), "xyac");
}

CASE(threads, argument_comes_in_and_return_value_out) { CHECK(join(spawn(write_letter, a)) == a); }

static void exit_deep_inside(int depth) {
  if (depth > 0) {
    exit_deep_inside(depth - 1);
  } else {
    st_thread_exit(b);
  }
  letter('!');
}

static void* exit_somewhere(__attribute__((unused)) void* unused) {
  exit_deep_inside(5);
  return NULL;
}

CASE(threads, exit_value_comes_out_of_a_nested_call) {
  CHECK(join(spawn(exit_somewhere, NULL)) == b);
  CHECK_TEXT(letters(), "");
}

static void* end_with_null(void* unused) {
  (void)unused;
  return NULL;
}

CASE(threads, null_is_an_exit_value) {
  void* value = a;
  CHECK_EQ(st_thread_join(spawn(end_with_null, NULL), &value), 0);
  CHECK(value == NULL);
}

CASE(threads, join_without_interest_in_the_value) {
  CHECK_EQ(st_thread_join(spawn(write_letter, a), NULL), 0);
  CHECK_TEXT(letters(), "a");
}

CASE(threads, any_nonzero_joinable_is_joinable) {
  st_thread_t thread = st_thread_create(write_letter, a, 2, 0);
  CHECK(thread != NULL);
  CHECK(join(thread) == a);
}

static void* report_self(void* seen) {
  *(st_thread_t*)seen = st_thread_self();
  pass();
  CHECK(*(st_thread_t*)seen == st_thread_self());
  return NULL;
}

CASE(threads, self_is_the_handle_that_create_returned) {
  st_thread_t seen = NULL;
  st_thread_t self = st_thread_self();
  st_thread_t thread = spawn(report_self, &seen);
  join(thread);
  CHECK(seen == thread);
  CHECK(seen != self);
  CHECK(st_thread_self() == self);
}

CASE(threads, detached_thread_cannot_be_joined) {
  st_thread_t thread = st_thread_create(sleep_until_told, NULL, 0, 0);
  pass();
  CHECK_FAILS(st_thread_join(thread, NULL), EINVAL);
}

static void* join_it(void* thread) {
  CHECK_FAILS(st_thread_join(thread, NULL), EINVAL);
  return NULL;
}

CASE(threads, primordial_thread_cannot_be_joined) { join(spawn(join_it, st_thread_self())); }

static void* join_oneself(void* expected) {
  CHECK_FAILS(st_thread_join(st_thread_self(), NULL), *(int*)expected);
  letter('a');
  return NULL;
}

CASE(threads, joining_oneself_would_deadlock) {
  int expected = EDEADLK;
  join(spawn(join_oneself, &expected));
}

CASE(threads, joining_oneself_when_detached_is_invalid) {
  int expected = EINVAL;
  CHECK(st_thread_create(join_oneself, &expected, 0, 0) != NULL);
  pass();
  CHECK_TEXT(letters(), "a");
}

static void* join_and_pass_on(void* thread) { return join(thread); }

CASE(threads, second_joiner_is_refused_and_the_first_undisturbed) {
  st_thread_t target = spawn(sleep_until_told, NULL);
  st_thread_t first = spawn(join_and_pass_on, target);
  pass();
  CHECK_FAILS(st_thread_join(target, NULL), EINVAL);
  st_thread_interrupt(target);
  CHECK(join(first) == NULL);
}

CASE(threads, join_of_a_zombie_does_not_switch) {
  st_thread_t target = spawn(write_letter, a);
  pass();
  st_thread_t other = spawn(write_letter, b);
  CHECK(join(target) == a);
  CHECK_TEXT(letters(), "a");
  join(other);
}

CASE(threads, join_of_a_zombie_leaves_an_interrupt_pending) {
  st_thread_t target = spawn(write_letter, a);
  pass();
  st_thread_interrupt(st_thread_self());
  CHECK(join(target) == a);
  CHECK_FAILS(st_usleep(0), EINTR);
}

static void* interrupt_it(void* thread) {
  st_thread_interrupt(thread);
  return NULL;
}

struct Join {
  st_thread_t target;
  int result;
  int error;
};

static void* try_join(void* argument) {
  struct Join* one = argument;
  one->result = st_thread_join(one->target, NULL);
  one->error = errno;
  return NULL;
}

CASE(threads, interrupted_join_leaves_the_target_to_the_next_joiner) {
  struct Join one = {.target = spawn(sleep_until_told, NULL)};
  st_thread_t joiner = spawn(try_join, &one);
  pass();
  st_thread_interrupt(joiner);
  join(joiner);
  CHECK_EQ(one.result, -1);
  CHECK_EQ(one.error, EINTR);
  st_thread_t second = spawn(join_and_pass_on, one.target);
  pass();
  st_thread_interrupt(one.target);
  join(second);
}

CASE(threads, interrupt_between_the_end_of_the_target_and_the_joiners_turn_wins) {
  struct Join one = {.target = spawn(sleep_until_told, NULL)};
  st_thread_t joiner = spawn(try_join, &one);
  pass();
  // In this order they run: the target ends and wakes the joiner, but the interrupt comes before
  // the joiner's turn.
  st_thread_interrupt(one.target);
  spawn(interrupt_it, joiner);
  join(joiner);
  CHECK_EQ(one.result, -1);
  CHECK_EQ(one.error, EINTR);
  CHECK_EQ(st_thread_join(one.target, NULL), 0);
}

static void* join_then_write(void* thread) {
  join(thread);
  letter('j');
  return NULL;
}

CASE(threads, joiner_queues_behind_those_that_can_run) {
  st_thread_t target = spawn(sleep_until_told, NULL);
  st_thread_t joiner = spawn(join_then_write, target);
  pass();
  st_thread_interrupt(target);
  st_thread_t other = spawn(write_letter, a);
  pass();
  CHECK_TEXT(letters(), "aj");
  join(joiner);
  join(other);
}

CASE(threads, zombie_keeps_its_value_while_others_come_and_go) {
  st_thread_t target = spawn(write_letter, a);
  pass();
  for (int i = 0; i < 100; ++i) CHECK(join(spawn(write_letter, b)) == b);
  CHECK(join(target) == a);
}

CASE(threads, interrupt_of_a_zombie_does_nothing) {
  st_thread_t target = spawn(write_letter, a);
  pass();
  st_thread_interrupt(target);
  pass();
  CHECK(join(target) == a);
  pass();
  CHECK_TEXT(letters(), "a");
}

static int running;

static void* count_one(__attribute__((unused)) void* unused) {
  ++running;
  pass();
  return NULL;
}

CASE(threads, thousand_at_once) {
  for (int i = 0; i < 1000; ++i) CHECK(st_thread_create(count_one, NULL, 0, 0) != NULL);
  while (running < 1000) pass();
  pass();
}

// Resident pages of the process, from the kernel.
static long resident_pages(void) {
  FILE* file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL);
  long size = 0;
  long resident = 0;
  CHECK_EQ(fscanf(file, "%ld %ld", &size, &resident), 2);
  fclose(file);
  return resident;
}

CASE(threads, hundred_thousand_create_and_join_do_not_grow_the_process) {
#if defined(__SANITIZE_ADDRESS__)
  skip("AddressSanitizer keeps freed memory");
#endif
  for (int i = 0; i < 1000; ++i) join(spawn(end_with_null, NULL));
  const long before = resident_pages();
  for (int i = 0; i < 100000; ++i) join(spawn(end_with_null, NULL));
  CHECK(resident_pages() - before < 64);
}

static void* use_stack(void* bytes) {
  char room[192 * 1024];
  const size_t size = *(const size_t*)bytes;
  CHECK(size <= sizeof room);
  memset(room + sizeof room - size, 'x', size);
  pass();
  for (size_t i = sizeof room - size; i < sizeof room; ++i) CHECK_EQ(room[i], 'x');
  return NULL;
}

CASE(threads, stack_size_is_what_was_asked_for) {
  size_t bytes = 192 * 1024;
  st_thread_t thread = st_thread_create(use_stack, &bytes, 1, 256 * 1024);
  CHECK(thread != NULL);
  join(thread);
}

CASE(threads, stack_size_need_not_be_whole_pages) {
  st_thread_t thread = st_thread_create(write_letter, a, 1, 20001);
  CHECK(thread != NULL);
  CHECK(join(thread) == a);
}

static void* use_40_kib(__attribute__((unused)) void* unused) {
  char room[40 * 1024];
  memset(room, 'y', sizeof room);
  pass();
  for (size_t i = 0; i < sizeof room; ++i) CHECK_EQ(room[i], 'y');
  return NULL;
}

CASE(threads, default_stack_holds_40_kib) {
  st_thread_t thread = spawn(use_40_kib, NULL);
  join(thread);
}

static void* compute(void* seed) {
  // Enough live values that some are in callee-saved registers and some in floating-point ones over
  // the switch.
  const long s = *(long*)seed;
  long v1 = s + 1, v2 = s * 3, v3 = s ^ 0x55, v4 = s - 9, v5 = s * s, v6 = s + 77;
  double d = (double)s / 7.0;
  for (int i = 0; i < 20; ++i) {
    pass();
    v1 += v2, v2 += v3, v3 += v4, v4 += v5, v5 += v6, v6 += v1;
    d = d * 1.5 + (double)i;
  }
  static double sums[2];
  double* sum = &sums[s == 11];
  *sum = d + (double)(v1 ^ v2 ^ v3 ^ v4 ^ v5 ^ v6);
  return sum;
}

CASE(threads, values_survive_switches) {
  long seed = 11;
  const double alone = *(double*)join(spawn(compute, &seed));
  long other = 23;
  st_thread_t one = spawn(compute, &seed);
  st_thread_t two = spawn(compute, &other);
  CHECK(*(double*)join(one) == alone);
  CHECK(*(double*)join(two) != alone);
}
