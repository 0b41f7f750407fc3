// Condition variables and mutexes. One queue is under both: waiters leave it when they are woken or
// give up, and until a woken one has run it is counted, because until then it may still look at the
// object.
#include "sync.h"

#include <errno.h>
#include <stdlib.h>

#include "scheduler.h"

namespace st {

// A thread in a WaitQueue, on the stack of the waiting call.
struct WaitQueue::Place : Link {
  Thread* thread;
};

void WaitQueue::make_empty() {
  places_.make_empty();
  woken_ = 0;
}

bool WaitQueue::busy() const { return woken_ > 0 || !places_.empty(); }

[[gnu::always_inline]] inline Wake WaitQueue::wait(State state, uint64_t timeout) {
  Place place;
  place.thread = scheduler.current();
  places_.push_back(&place);
  const Wake how = scheduler.suspend_inline(state, timeout);
  if (place.linked())
    place.unlink();  // timed out or interrupted
  else
    --woken_;
  return how;
}

Thread* WaitQueue::wake_first() {
  for (Place* place = places_.front(); place; place = places_.after(place)) {
    // One that has timed out or been interrupted is still here until it has run.
    if (!Scheduler::asleep(place->thread)) continue;
    Thread* thread = place->thread;
    ST_CHECK(!scheduler.is_foreign(thread->home),
             "a thread of another kernel thread's scheduler waits for the condition or mutex");
    place->unlink();
    ++woken_;
    scheduler.wake(thread, Wake::ready);
    return thread;
  }
  return nullptr;
}

}  // namespace st

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

int fail(int error) {
  errno = error;
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

ST_RETURNS_BY_JUMP int st_cond_timedwait(st_cond_t cond, st_utime_t timeout) {
  if (scheduler.take_interrupt()) return -1;
  return scheduler.outcome(cond->queue.wait(State::on_cond, timeout)) == Wake::ready ? 0 : -1;
}

ST_RETURNS_BY_JUMP int st_cond_wait(st_cond_t cond) {
  if (scheduler.take_interrupt()) return -1;
  return scheduler.outcome(cond->queue.wait(State::on_cond, ST_UTIME_NO_TIMEOUT)) == Wake::ready
             ? 0
             : -1;
}

int st_cond_signal(st_cond_t cond) {
  cond->queue.wake_first();
  return 0;
}

int st_cond_broadcast(st_cond_t cond) {
  while (cond->queue.wake_first()) {
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

// Apart, because it returns on another thread's behalf and the usual, free case does not.
namespace {

ST_RETURNS_BY_JUMP [[gnu::noinline]] int wait_for_mutex(st_mutex_t lock) {
  st::Thread* self = scheduler.current();
  if (lock->owner == self) return fail(EDEADLK);
  ST_CHECK(!scheduler.is_foreign(lock->owner->home), st::kForeign);
  lock->queue.wait(State::on_mutex, ST_UTIME_NO_TIMEOUT);
  // Handed over is handed over: an interrupt that came after that waits for the next call.
  if (lock->owner == self) return 0;
  scheduler.take_interrupt();
  return fail(EINTR);
}

}  // namespace

int st_mutex_lock(st_mutex_t lock) {
  if (scheduler.take_interrupt()) return -1;
  if (lock->owner) return wait_for_mutex(lock);
  lock->owner = scheduler.current();
  return 0;
}

int st_mutex_unlock(st_mutex_t lock) {
  if (!lock->owner || lock->owner != scheduler.current()) return fail(EPERM);
  // The longest waiting thread owns it from now on, so that nobody overtakes it.
  lock->owner = lock->queue.wake_first();
  return 0;
}

int st_mutex_trylock(st_mutex_t lock) {
  ST_CHECK(scheduler.current(), st::kTooEarly);
  if (lock->owner) return fail(EBUSY);
  lock->owner = scheduler.current();
  return 0;
}
