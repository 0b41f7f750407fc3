// Condition variables and mutexes. One queue is under both.
#include "sync.h"

#include <errno.h>
#include <stdlib.h>

#include "errors.h"
#include "scheduler.h"

namespace st {

void WaitQueue::give_up(Thread* thread) {
  Thread* behind = thread->behind;
  (thread == first_ ? first_ : thread->before->behind) = behind;
  (thread == last_ ? last_ : behind->before) = thread->before;
  thread->behind = nullptr;
  woken_ = thread;
}

bool WaitQueue::busy() const {
  if (first_) return true;
  return woken_ && home_ == scheduler.number() && woken_ != scheduler.current() &&
         woken_->queue == this && woken_->state == State::runnable &&
         (woken_->wake == Wake::signalled || woken_->wake == Wake::failed);
}

}  // namespace st

using st::fail;
using st::scheduler;
using st::State;
using st::Wake;

struct _st_cond {
  st::WaitQueue queue;
};

struct _st_mutex {
  st::Thread* owner;
  st::WaitQueue queue;
};

namespace {

// Apart, so that calls which nearly always go the other way need no frame.
[[gnu::noinline]] int fail_interrupted() {
  scheduler.take_interrupt();
  return -1;
}

}  // namespace

st_cond_t st_cond_new() {
  auto* cond = static_cast<st_cond_t>(malloc(sizeof(_st_cond)));
  if (cond) cond->queue.make_empty();
  return cond;
}

int st_cond_destroy(st_cond_t cond) {
  if (cond->queue.busy()) return fail(EBUSY);
  free(cond);
  return 0;
}

int st_cond_timedwait(st_cond_t cond, st_utime_t timeout) {
  st::Thread* self = scheduler.about_to_wait();
  if (self->interrupted) [[unlikely]]
    return fail_interrupted();
  cond->queue.push(self);
  return scheduler.wait(self, State::on_cond, timeout);
}

int st_cond_wait(st_cond_t cond) {
  st::Thread* self = scheduler.about_to_wait();
  if (self->interrupted) [[unlikely]]
    return fail_interrupted();
  cond->queue.push(self);
  return scheduler.wait_inline(self, State::on_cond, ST_UTIME_NO_TIMEOUT);
}

int st_cond_signal(st_cond_t cond) {
  cond->queue.wake_first(Wake::signalled);
  return 0;
}

int st_cond_broadcast(st_cond_t cond) {
  while (cond->queue.wake_first(Wake::signalled)) {
  }
  return 0;
}

st_mutex_t st_mutex_new() {
  auto* lock = static_cast<st_mutex_t>(malloc(sizeof(_st_mutex)));
  if (!lock) return nullptr;
  lock->owner = nullptr;
  lock->queue.make_empty();
  return lock;
}

int st_mutex_destroy(st_mutex_t lock) {
  if (lock->owner || lock->queue.busy()) return fail(EBUSY);
  free(lock);
  return 0;
}

// Handed over is handed over: an interrupt that comes after that waits for the next call.
[[gnu::noinline]] static int wait_for_mutex(st_mutex_t lock) {
  st::Thread* self = scheduler.about_to_wait();
  if (lock->owner == self) return fail(EDEADLK);
  ST_CHECK(!scheduler.is_foreign(lock->owner->home), st::kForeign);
  lock->queue.push(self);
  return scheduler.wait(self, State::on_mutex, ST_UTIME_NO_TIMEOUT);
}

int st_mutex_lock(st_mutex_t lock) {
  st::Thread* self = scheduler.current();
  ST_CHECK(self, st::kTooEarly);
  if (self->interrupted) [[unlikely]]
    return fail_interrupted();
  if (lock->owner) return wait_for_mutex(lock);
  lock->owner = self;
  return 0;
}

int st_mutex_unlock(st_mutex_t lock) {
  if (!lock->owner || lock->owner != scheduler.current()) return fail(EPERM);
  // The longest waiting thread owns it from now on, so that nobody overtakes it.
  lock->owner = lock->queue.wake_first(Wake::ready);
  return 0;
}

int st_mutex_trylock(st_mutex_t lock) {
  ST_CHECK(scheduler.current(), st::kTooEarly);
  if (lock->owner) return fail(EBUSY);
  lock->owner = scheduler.current();
  return 0;
}
