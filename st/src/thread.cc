// The life of a thread: create, run, exit, join, interrupt.
#include "thread.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>

#include "check.h"
#include "errors.h"
#include "key.h"
#include "probe.h"
#include "scheduler.h"

using st::scheduler;
using st::State;
using st::Thread;

extern "C" void st_thread_main() {
  scheduler.arrived();
  Thread* self = scheduler.current();
  st_thread_exit(self->start(self->arg));
}

namespace {

std::atomic<int> fd_limit{-1};  // each kernel thread finds out the same

// As many descriptors as the process may have: a server is what needs them, and select(2) is not
// forced on it.
[[gnu::cold]] bool raise_descriptor_limit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  fd_limit = limit.rlim_max > 0x7fffffff ? 0x7fffffff : static_cast<int>(limit.rlim_max);
  return true;
}

}  // namespace

[[gnu::cold]] int st_init() {
  if (scheduler.ready()) return 0;
  // A peer that has gone is an error of the write, EPIPE, and not the end of the process.
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  if (sigaction(SIGPIPE, &ignore, nullptr) != 0 || !raise_descriptor_limit()) return -1;
  return scheduler.start() ? 0 : -1;
}

int st_getfdlimit() {
  const st::Mechanism* mechanism = scheduler.events.selected();
  const int own = mechanism ? mechanism->fd_limit : 0;
  const int systems = fd_limit;
  return own && own < systems ? own : systems;
}

st_thread_t st_thread_create(void* (*start)(void* arg), void* arg, int joinable, int stack_size) {
  ST_CHECK(scheduler.ready(), st::kTooEarly);
  if (stack_size < 0) return st::fail(EINVAL);
  Thread* thread = scheduler.stacks.take(static_cast<size_t>(stack_size));
  if (!thread) return nullptr;
  thread->start = start;
  thread->arg = arg;
  thread->joinable = joinable != 0;
  thread->interrupted = false;
  thread->wake = st::Wake::ready;
  thread->joiner = nullptr;
  thread->name[0] = '\0';
  // Destructors may have left some, and others may have set some after it ended.
  while (thread->keys_used > 0) thread->keys[--thread->keys_used] = nullptr;
  st::sanitizer_begin(thread);
  st::context_prepare(&thread->context, thread);
  scheduler.admit(thread);
  ST_PROBE(thread_create, thread, start);
  return thread;
}

// It does not return, and the compiler is not told: it would make a call of what is a jump.
void st_thread_exit(void* retval) {
  Thread* self = scheduler.about_to_wait();
  self->value = retval;
  ST_PROBE(thread_exit, self, retval);
  if (self->keys_used > 0) st::destroy_values(self);
  State state = State::zombie;
  if (!self->joinable && self->stack.pool) {
    // The primordial thread lives on the kernel's stack.
    scheduler.stacks.give(self);
    state = State::gone;
  } else if (self->joiner && st::Scheduler::asleep(self->joiner)) {
    // One that was interrupted is in the run queue already.
    scheduler.wake(self->joiner, st::Wake::ready);
  }
  scheduler.leave(self, state);
}

ST_RETURNS_BY_JUMP int st_thread_join(st_thread_t thread, void** retvalp) {
  Thread* self = scheduler.current();
  ST_CHECK(self, st::kTooEarly);
  ST_CHECK(!scheduler.is_foreign(thread->home), st::kForeign);
  if (thread == self && thread->joinable) return st::fail(EDEADLK);
  // One that is gone was joined, and its memory is not yet another's.
  if (!thread->joinable || thread->joiner || thread->state == State::gone) return st::fail(EINVAL);
  if (thread->state != State::zombie) {
    if (scheduler.take_interrupt()) return -1;
    thread->joiner = self;
    scheduler.suspend_inline(State::joining, ST_UTIME_NO_TIMEOUT);
    thread->joiner = nullptr;
    if (scheduler.take_interrupt()) return -1;
  }
  if (retvalp) *retvalp = thread->value;
  thread->state = State::gone;
  scheduler.stacks.give(thread);
  return 0;
}

void st_thread_interrupt(st_thread_t thread) {
  ST_CHECK(!scheduler.is_foreign(thread->home), st::kForeign);
  scheduler.interrupt(thread);
}

st_thread_t st_thread_self() { return scheduler.current(); }

void st_thread_yield() { scheduler.yield(); }

int st_randomize_stacks(int on) { return scheduler.stacks.randomize(on != 0); }

st_switch_cb_t st_set_switch_in_cb(st_switch_cb_t cb) { return scheduler.set_switch_in(cb); }

st_switch_cb_t st_set_switch_out_cb(st_switch_cb_t cb) { return scheduler.set_switch_out(cb); }

void st_thread_setname(st_thread_t thread, const char* name) {
  strncpy(thread->name, name ? name : "", ST_THREAD_NAME_MAX);
  thread->name[ST_THREAD_NAME_MAX] = '\0';
}

const char* st_thread_getname(st_thread_t thread) { return thread->name; }

int st_stack_cache(int stacks) {
  return static_cast<int>(scheduler.stacks.keep(static_cast<size_t>(stacks)));
}

[[gnu::cold]] void st_stats(st_stats_t* stats, size_t size) {
  st_stats_t all{};
  if (scheduler.current()) scheduler.count(&all);
  memset(stats, 0, size);
  memcpy(stats, &all, std::min(size, sizeof(all)));
}
