// Mutexes: one owner, first come first served, handed over at the moment of the unlock.
#include "support.h"

static st_mutex_t mutex;

static void new_mutex(void) {
  mutex = st_mutex_new();
  CHECK(mutex != NULL);
}

struct Locker {
  char name;
  int result;
  int error;
};

static void* lock_and_unlock(void* argument) {
  struct Locker* one = argument;
  one->result = st_mutex_lock(mutex);
  one->error = errno;
  letter(one->name);
  if (one->result == 0) CHECK_EQ(st_mutex_unlock(mutex), 0);
  return NULL;
}

static void* lock_and_end(void* unused) {
  (void)unused;
  CHECK_EQ(st_mutex_lock(mutex), 0);
  return NULL;
}

static void* unlock_others(void* unused) {
  (void)unused;
  CHECK_FAILS(st_mutex_unlock(mutex), EPERM);
  return NULL;
}

static void* try_others(void* unused) {
  (void)unused;
  CHECK_FAILS(st_mutex_trylock(mutex), EBUSY);
  return NULL;
}

CASE(mutex, is_not_recursive) {
  new_mutex();
  CHECK_EQ(st_mutex_lock(mutex), 0);
  CHECK_FAILS(st_mutex_lock(mutex), EDEADLK);
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  CHECK_EQ(st_mutex_lock(mutex), 0);
}

CASE(mutex, trylock_refuses_the_owner_too) {
  new_mutex();
  CHECK_EQ(st_mutex_trylock(mutex), 0);
  CHECK_FAILS(st_mutex_trylock(mutex), EBUSY);
  join(spawn(try_others, NULL));
  CHECK_EQ(st_mutex_unlock(mutex), 0);
}

CASE(mutex, trylock_owns_as_lock_does) {
  new_mutex();
  CHECK_EQ(st_mutex_trylock(mutex), 0);
  CHECK_FAILS(st_mutex_lock(mutex), EDEADLK);
  join(spawn(unlock_others, NULL));
  CHECK_EQ(st_mutex_unlock(mutex), 0);
}

CASE(mutex, that_nobody_owns_cannot_be_unlocked) {
  new_mutex();
  CHECK_FAILS(st_mutex_unlock(mutex), EPERM);
  CHECK_EQ(st_mutex_lock(mutex), 0);
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  CHECK_FAILS(st_mutex_unlock(mutex), EPERM);
}

CASE(mutex, of_another_thread_cannot_be_unlocked) {
  new_mutex();
  CHECK_EQ(st_mutex_lock(mutex), 0);
  join(spawn(unlock_others, NULL));
  CHECK_FAILS(st_mutex_lock(mutex), EDEADLK);
  CHECK_EQ(st_mutex_unlock(mutex), 0);
}

CASE(mutex, is_handed_on_in_the_order_of_waiting) {
  new_mutex();
  struct Locker one = {.name = '1'}, two = {.name = '2'}, three = {.name = '3'};
  CHECK_EQ(st_mutex_lock(mutex), 0);
  spawn(lock_and_unlock, &three), spawn(lock_and_unlock, &one), spawn(lock_and_unlock, &two);
  pass();
  CHECK_TEXT(letters(), "");
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  pass();
  CHECK_TEXT(letters(), "312");
}

CASE(mutex, changes_its_owner_at_the_unlock) {
  new_mutex();
  struct Locker one = {.name = '1'};
  CHECK_EQ(st_mutex_lock(mutex), 0);
  spawn(lock_and_unlock, &one);
  pass();
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  CHECK_TEXT(letters(), "");
  CHECK_FAILS(st_mutex_unlock(mutex), EPERM);
  CHECK_FAILS(st_mutex_trylock(mutex), EBUSY);
  CHECK_EQ(st_mutex_lock(mutex), 0);
  CHECK_TEXT(letters(), "1");
}

CASE(mutex, new_owner_queues_behind_those_that_can_run) {
  static char a[] = "a", b[] = "b";
  new_mutex();
  struct Locker one = {.name = '1'};
  CHECK_EQ(st_mutex_lock(mutex), 0);
  spawn(lock_and_unlock, &one);
  pass();
  spawn(write_letter, a);
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  spawn(write_letter, b);
  pass();
  CHECK_TEXT(letters(), "a1b");
}

CASE(mutex, interrupted_waiter_is_passed_over) {
  new_mutex();
  struct Locker one = {.name = '1'}, two = {.name = '2'};
  CHECK_EQ(st_mutex_lock(mutex), 0);
  st_thread_t first = spawn(lock_and_unlock, &one);
  spawn(lock_and_unlock, &two);
  pass();
  st_thread_interrupt(first);
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  pass();
  CHECK_TEXT(letters(), "12");
  CHECK_EQ(one.result, -1);
  CHECK_EQ(one.error, EINTR);
  CHECK_EQ(two.result, 0);
}

static void* lock_then_sleep(void* unused) {
  (void)unused;
  CHECK_EQ(st_mutex_lock(mutex), 0);
  letter('l');
  CHECK_FAILS(st_usleep(0), EINTR);
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  return NULL;
}

CASE(mutex, interrupt_after_the_hand_over_stays_pending) {
  new_mutex();
  CHECK_EQ(st_mutex_lock(mutex), 0);
  st_thread_t waiter = spawn(lock_then_sleep, NULL);
  pass();
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  st_thread_interrupt(waiter);
  join(waiter);
  CHECK_TEXT(letters(), "l");
}

CASE(mutex, that_is_free_is_refused_to_an_interrupted_thread) {
  new_mutex();
  st_thread_interrupt(st_thread_self());
  CHECK_FAILS(st_mutex_lock(mutex), EINTR);
  CHECK_EQ(st_mutex_trylock(mutex), 0);
  st_thread_interrupt(st_thread_self());
  CHECK_FAILS(st_mutex_lock(mutex), EINTR);
}

CASE(mutex, trylock_does_not_look_at_interrupts) {
  new_mutex();
  st_thread_interrupt(st_thread_self());
  CHECK_EQ(st_mutex_trylock(mutex), 0);
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  CHECK_FAILS(st_usleep(0), EINTR);
}

CASE(mutex, is_held_over_a_wait) {
  new_mutex();
  CHECK_EQ(st_mutex_lock(mutex), 0);
  pass();
  join(spawn(try_others, NULL));
  CHECK_EQ(st_mutex_unlock(mutex), 0);
}

CASE(mutex, of_a_thread_that_ended_stays_locked) {
  new_mutex();
  join(spawn(lock_and_end, NULL));
  CHECK_FAILS(st_mutex_trylock(mutex), EBUSY);
  CHECK_FAILS(st_mutex_unlock(mutex), EPERM);
  CHECK_FAILS(st_mutex_destroy(mutex), EBUSY);
}

CASE(mutex, that_is_free_can_be_destroyed) {
  new_mutex();
  CHECK_EQ(st_mutex_destroy(mutex), 0);
}

CASE(mutex, that_is_owned_cannot_be_destroyed_and_stays_good) {
  new_mutex();
  CHECK_EQ(st_mutex_lock(mutex), 0);
  CHECK_FAILS(st_mutex_destroy(mutex), EBUSY);
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  CHECK_EQ(st_mutex_destroy(mutex), 0);
}

CASE(mutex, that_is_handed_over_cannot_be_destroyed) {
  new_mutex();
  struct Locker one = {.name = '1'};
  CHECK_EQ(st_mutex_lock(mutex), 0);
  spawn(lock_and_unlock, &one);
  pass();
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  CHECK_FAILS(st_mutex_destroy(mutex), EBUSY);
  pass();
  CHECK_EQ(st_mutex_destroy(mutex), 0);
}

CASE(mutex, interrupted_waiter_keeps_it_busy_until_it_has_run) {
  new_mutex();
  struct Locker one = {.name = '1'};
  CHECK_EQ(st_mutex_lock(mutex), 0);
  st_thread_t waiter = spawn(lock_and_unlock, &one);
  pass();
  st_thread_interrupt(waiter);
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  CHECK_FAILS(st_mutex_destroy(mutex), EBUSY);
  pass();
  CHECK_EQ(one.error, EINTR);
  CHECK_EQ(st_mutex_destroy(mutex), 0);
}

static int inside;
static int total;

static void* enter_often(void* unused) {
  (void)unused;
  for (int i = 0; i < 50; ++i) {
    CHECK_EQ(st_mutex_lock(mutex), 0);
    CHECK_EQ(++inside, 1);
    pass();
    --inside;
    ++total;
    CHECK_EQ(st_mutex_unlock(mutex), 0);
  }
  return NULL;
}

CASE(mutex, keeps_all_but_one_out) {
  new_mutex();
  st_thread_t threads[10];
  for (int i = 0; i < COUNT_OF(threads); ++i) threads[i] = spawn(enter_often, NULL);
  for (int i = 0; i < COUNT_OF(threads); ++i) join(threads[i]);
  CHECK_EQ(total, 500);
}
