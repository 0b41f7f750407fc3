// Thread-specific data: sixteen keys, and the order in which destructors see the values.
#include "support.h"

static int keys[3];

static int new_key(void (*destructor)(void*)) {
  int key = -1;
  CHECK_EQ(st_key_create(&key, destructor), 0);
  return key;
}

static void write_value(void* value) { letter(*(char*)value); }

static char a[] = "a";
static char b[] = "b";
static char c[] = "c";

CASE(keys, there_are_sixteen_numbered_from_zero) {
  CHECK_EQ(st_key_getlimit(), 16);
  for (int i = 0; i < 16; ++i) CHECK_EQ(new_key(i % 2 ? NULL : write_value), i);
  int key = -7;
  CHECK_FAILS(st_key_create(&key, NULL), EAGAIN);
  for (int i = 0; i < 16; ++i) CHECK_EQ(st_thread_setspecific(i, &keys[0] + i % 3), 0);
  for (int i = 0; i < 16; ++i) CHECK(st_thread_getspecific(i) == &keys[i % 3]);
}

CASE(keys, unset_value_is_null) { CHECK(st_thread_getspecific(new_key(NULL)) == NULL); }

CASE(keys, unknown_key_is_refused) {
  new_key(NULL);
  CHECK_FAILS(st_thread_setspecific(1, a), EINVAL);
  CHECK_FAILS(st_thread_setspecific(-1, a), EINVAL);
  CHECK_FAILS(st_thread_setspecific(16, a), EINVAL);
}

CASE(keys, value_of_an_unknown_key_is_null_without_an_error) {
  errno = 0;
  CHECK(st_thread_getspecific(0) == NULL);
  CHECK(st_thread_getspecific(-1) == NULL);
  CHECK(st_thread_getspecific(16) == NULL);
  CHECK_EQ(errno, 0);
}

static void* own_value(void* value) {
  CHECK(st_thread_getspecific(keys[0]) == NULL);
  CHECK_EQ(st_thread_setspecific(keys[0], value), 0);
  pass();
  CHECK(st_thread_getspecific(keys[0]) == value);
  return NULL;
}

CASE(keys, every_thread_has_its_own_value) {
  keys[0] = new_key(NULL);
  CHECK_EQ(st_thread_setspecific(keys[0], c), 0);
  st_thread_t one = spawn(own_value, a);
  st_thread_t two = spawn(own_value, b);
  join(one);
  join(two);
  // The stacks of the dead are used again; their values are not.
  join(spawn(own_value, b));
  CHECK(st_thread_getspecific(keys[0]) == c);
}

static void* create_a_key(void* unused) {
  (void)unused;
  keys[0] = new_key(write_value);
  return NULL;
}

CASE(keys, key_created_by_one_thread_is_good_for_all) {
  join(spawn(create_a_key, NULL));
  CHECK_EQ(st_thread_setspecific(keys[0], a), 0);
  join(spawn(own_value, b));
  CHECK_TEXT(letters(), "b");
}

static void see_old_value(void* value) {
  CHECK(st_thread_getspecific(keys[0]) == value);
  letter(*(char*)value);
}

CASE(keys, replaced_value_is_destroyed_before_the_new_one_is_stored) {
  keys[0] = new_key(see_old_value);
  CHECK_EQ(st_thread_setspecific(keys[0], a), 0);
  CHECK_EQ(st_thread_setspecific(keys[0], b), 0);
  CHECK_TEXT(letters(), "a");
  CHECK(st_thread_getspecific(keys[0]) == b);
  CHECK_EQ(st_thread_setspecific(keys[0], NULL), 0);
  CHECK_TEXT(letters(), "ab");
  CHECK(st_thread_getspecific(keys[0]) == NULL);
  CHECK_EQ(st_thread_setspecific(keys[0], c), 0);
  CHECK_TEXT(letters(), "ab");
}

CASE(keys, same_value_again_is_not_destroyed) {
  keys[0] = new_key(write_value);
  CHECK_EQ(st_thread_setspecific(keys[0], a), 0);
  CHECK_EQ(st_thread_setspecific(keys[0], a), 0);
  CHECK_TEXT(letters(), "");
}

CASE(keys, value_without_destructor_is_left_alone) {
  keys[0] = new_key(NULL);
  CHECK_EQ(st_thread_setspecific(keys[0], a), 0);
  CHECK_EQ(st_thread_setspecific(keys[0], b), 0);
  CHECK(st_thread_getspecific(keys[0]) == b);
}

static void* set_all_backwards(void* leave) {
  CHECK_EQ(st_thread_setspecific(keys[2], c), 0);
  CHECK_EQ(st_thread_setspecific(keys[1], b), 0);
  CHECK_EQ(st_thread_setspecific(keys[0], a), 0);
  if (leave != NULL) st_thread_exit(leave);
  return NULL;
}

CASE(keys, destructors_run_at_exit_in_the_order_of_the_keys) {
  for (int i = 0; i < 3; ++i) keys[i] = new_key(write_value);
  join(spawn(set_all_backwards, NULL));
  CHECK_TEXT(letters(), "abc");
  CHECK(join(spawn(set_all_backwards, a)) == a);
  CHECK_TEXT(letters(), "abcabc");
}

CASE(keys, destructors_run_for_detached_threads_too) {
  for (int i = 0; i < 3; ++i) keys[i] = new_key(write_value);
  CHECK(st_thread_create(set_all_backwards, NULL, 0, 0) != NULL);
  pass();
  CHECK_TEXT(letters(), "abc");
}

static void* set_null(void* unused) {
  (void)unused;
  CHECK_EQ(st_thread_setspecific(keys[0], a), 0);
  CHECK_EQ(st_thread_setspecific(keys[0], NULL), 0);
  return NULL;
}

CASE(keys, null_has_no_destructor_at_exit) {
  keys[0] = new_key(write_value);
  join(spawn(set_null, NULL));
  CHECK_TEXT(letters(), "a");
}

static st_thread_t dying;

static void be_the_dying_thread(void* value) {
  CHECK(st_thread_self() == dying);
  write_value(value);
}

CASE(keys, destructor_runs_in_the_dying_thread_before_the_join) {
  for (int i = 0; i < 3; ++i) keys[i] = new_key(be_the_dying_thread);
  dying = spawn(set_all_backwards, NULL);
  join(dying);
  CHECK_TEXT(letters(), "abc");
}

static void block_then_write(void* value) {
  pass();
  write_value(value);
}

CASE(keys, destructor_may_block) {
  for (int i = 0; i < 3; ++i) keys[i] = new_key(block_then_write);
  static char x[] = "x";
  st_thread_t thread = spawn(set_all_backwards, NULL);
  spawn(write_letter, x);
  join(thread);
  CHECK_TEXT(letters(), "xabc");
}

static void expect_earlier_slots_empty(void* value) {
  CHECK(st_thread_getspecific(keys[0]) == NULL || value == a);
  CHECK(st_thread_getspecific(keys[1]) == NULL || value == a || value == b);
  write_value(value);
}

CASE(keys, slot_is_empty_after_its_destructor) {
  for (int i = 0; i < 3; ++i) keys[i] = new_key(expect_earlier_slots_empty);
  join(spawn(set_all_backwards, NULL));
  CHECK_TEXT(letters(), "abc");
}

static void set_later_key(void* value) {
  write_value(value);
  CHECK_EQ(st_thread_setspecific(keys[2], b), 0);
}

static void set_earlier_key(void* value) {
  write_value(value);
  CHECK_EQ(st_thread_setspecific(keys[0], c), 0);
}

static void* set_first(void* unused) {
  (void)unused;
  CHECK_EQ(st_thread_setspecific(keys[0], a), 0);
  return NULL;
}

static void* set_last(void* unused) {
  (void)unused;
  CHECK_EQ(st_thread_setspecific(keys[2], a), 0);
  return NULL;
}

CASE(keys, value_set_by_a_destructor_for_a_later_key_is_destroyed) {
  keys[0] = new_key(set_later_key);
  keys[1] = new_key(write_value);
  keys[2] = new_key(write_value);
  join(spawn(set_first, NULL));
  CHECK_TEXT(letters(), "ab");
}

CASE(keys, there_is_one_round_of_destructors) {
  keys[0] = new_key(write_value);
  keys[1] = new_key(write_value);
  keys[2] = new_key(set_earlier_key);
  join(spawn(set_last, NULL));
  CHECK_TEXT(letters(), "a");
}
