#include "event/event.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <atomic>

#include "bell.h"
#include "check.h"
#include "errors.h"
#include "offload.h"
#include "scheduler.h"

namespace st {
namespace {

// Set in a child process by fork: what the kernel was told belongs to the parent, so nothing may be
// taken back there.
thread_local bool forked = false;
void note_fork() {
  forked = true;
  offload_in_child();
}

}  // namespace

int Events::select(int id) {
  if (mechanism_) return fail(EBUSY);
  mechanism_ = choose_mechanism(id);
  if (!mechanism_) return fail(EINVAL);
  completes_ = mechanism_->perform != nullptr;
  return 0;
}

[[gnu::cold]] bool Events::open() {
  if (!mechanism_ && select(ST_EVENTSYS_DEFAULT) != 0) return false;
  // An int, because riscv64 exchanges bytes only with the help of another library.
  static std::atomic<int> notes_forks{0};
  if (notes_forks.exchange(1) == 0) {
    if (const int error = pthread_atfork(offload_before_fork, offload_in_parent, note_fork)) {
      notes_forks.store(0);
      return fail(error);
    }
  }
  forked = false;
  ++epoch_;
  return mechanism_->open(*this);
}

[[gnu::cold]] void Events::end() {
  close();
  for (int i = 0; i < chunk_count_; ++i) free(chunks_[i]);
  free(chunks_);
  free(buffer);
}

Watch* Events::watch(int fd) {
  const int chunk = fd / kChunk;
  if (chunk >= chunk_count_) {
    const int count = chunk + chunk / 2 + 4;
    auto* grown =
        static_cast<Watch**>(realloc(chunks_, sizeof(Watch*) * static_cast<size_t>(count)));
    if (!grown) return nullptr;
    memset(grown + chunk_count_, 0, sizeof(Watch*) * static_cast<size_t>(count - chunk_count_));
    chunks_ = grown;
    chunk_count_ = count;
  }
  if (!chunks_[chunk]) {
    auto* fresh = static_cast<Watch*>(aligned_alloc(alignof(Watch), kChunk * sizeof(Watch)));
    if (!fresh) return nullptr;
    for (int i = 0; i < kChunk; ++i) {
      fresh[i] = {};
      fresh[i].first.fd = -1;
    }
    chunks_[chunk] = fresh;
  }
  if (fd >= watched_) watched_ = fd + 1;
  return record(fd);
}

short Events::wanted(Watch& watch) {
  short what = 0;
  for (Waiter* waiter = watch.waiters.front(); waiter; waiter = watch.waiters.after(waiter))
    what = static_cast<short>(what | waiter->events);
  return what;
}

bool Events::tell(int fd, Watch& watch, int what) {
  const int before = told(watch);
  // In a child process all that is waited for is told when the mechanism is opened again.
  if (!mechanism_ || forked || (before == 0 && what == 0)) return true;
  watch.interest = 0;
  if (!mechanism_->tell(*this, fd, watch, before, what)) return false;
  watch.interest = static_cast<uint8_t>(what);
  watch.epoch = epoch_;
  return true;
}

bool Events::want(int fd, Watch& watch, short what) {
  notice_fork();
  return tell(fd, watch, told(watch) | what | wanted(watch));
}

// Without a report a waiter would sleep for ever; one that finds nothing waits again.
[[gnu::cold]] void Events::tell_again(int fd, Watch& watch) {
  if (tell(fd, watch, wanted(watch))) return;
  report(fd, watch.generation, POLLERR);
  scheduler.end_of_reports();
}

[[gnu::cold]] Wake Events::wait_for(Waiter* waiters, int count, uint64_t timeout) {
  notice_fork();
  int entered = 0;
  for (; entered < count; ++entered) {
    Waiter& waiter = waiters[entered];
    waiter.thread = scheduler.current();
    Watch* entry = watch(waiter.fd);
    if (!entry || !watch_one(waiter.fd, *entry, &waiter)) break;
  }
  Wake how = Wake::failed;
  if (entered == count) {
    scheduler.number_wait();
    how = scheduler.outcome(scheduler.suspend(State::on_io, timeout));
  }
  const ErrnoKept kept;
  for (Waiter* waiter = waiters; waiter < waiters + entered; ++waiter) {
    if (waiter->linked()) waiter->unlink();
    Watch& entry = *record(waiter->fd);
    if (entry.wrappers == 0) tell_again(waiter->fd, entry);
  }
  return how;
}

void Events::wrapped(int fd, Watch& watch) {
  ++watch.wrappers;
  watch.ready = POLLIN | POLLOUT;
  watch.ended = false;
  // The number may have been closed and opened again without our knowledge, so nothing is believed
  // of what was told; and who waits for the raw number already is now registered in another way.
  tell_again(fd, watch);
}

void Events::unwrapped(int fd, Watch& watch) {
  if (--watch.wrappers == 0) tell_again(fd, watch);  // st_poll() needs no wrapper
}

void Events::closing(int fd, Watch& watch) {
  if (mechanism_ && !mechanism_->forgets_closed) tell(fd, watch, 0);
  ++watch.generation;
  watch.wrappers = 0;
  watch.interest = 0;
}

ssize_t Events::perform(Watch& watch, const Operation& operation, uint64_t timeout) {
  if (!completes()) return operation.execute();
  notice_fork();
  return mechanism_->perform(*this, watch, operation, timeout);
}

void Events::wait(int64_t timeout) {
  if (forked) {
    reopen_after_fork();
    timeout = 0;  // that may have made threads runnable
  }
  mechanism_->wait(*this, timeout);
  scheduler.end_of_reports();
}

void Events::report(int fd, uint32_t generation, short what) {
  Watch& entry = *record(fd);  // who is reported has been watched
  if (entry.generation != generation) return;
  constexpr int kBroken = POLLERR | POLLHUP | POLLNVAL;
  const bool broken = what & kBroken;
  if (broken || (what & (POLLRDHUP | POLLPRI))) entry.ended = true;
  entry.ready |= (broken ? ~0 : what) & (POLLIN | POLLOUT);
  Waiter* next = nullptr;
  for (Waiter* waiter = entry.waiters.front(); waiter; waiter = next) {
    next = entry.waiters.after(waiter);
    if (waiter->events == 0) continue;  // it waits for a transfer to end
    // What is broken lets every attempt fail, so it is ready for what everybody waits for.
    const int seen = broken && !(what & POLLNVAL) ? what | waiter->events : what;
    waiter->revents = static_cast<short>(seen & (waiter->events | kBroken));
    if (waiter->revents == 0) continue;
    waiter->unlink();
    if (Scheduler::asleep(waiter->thread)) scheduler.wake_by_event(waiter->thread);
  }
}

void Events::notice_fork() {
  if (forked) reopen_after_fork();
}

[[gnu::cold]] void Events::reopen_after_fork() {
  forked = false;
  bells_after_fork();
  offload_collect();
  mechanism_->close(*this);
  ++epoch_;
  ST_CHECK(mechanism_->open(*this),
           "a child process could not open the event mechanism again after fork");
  each_waited_for([this](int fd, Watch& entry) { tell_again(fd, entry); });
  scheduler.end_of_reports();  // of transfers that the mechanism has given up
}

}  // namespace st

using st::scheduler;

int st_set_eventsys(int eventsys) { return scheduler.events.select(eventsys); }

int st_get_eventsys() { return scheduler.events.selected() ? scheduler.events.selected()->id : -1; }

const char* st_get_eventsys_name() {
  return scheduler.events.selected() ? scheduler.events.selected()->name : "";
}
