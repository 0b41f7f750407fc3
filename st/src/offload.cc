// Blocking work: a pool of helper kernel threads for the process, and for each scheduler a desk
// where finished work is collected. A helper puts the finished job on the desk and rings its bell;
// the desk's own state thread then wakes those who waited. This is the asymmetric architecture of
// the founding paper as one call.
#include "offload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <atomic>

#include "bell.h"
#include "scheduler.h"

namespace st {
namespace {

struct Desk;

// Made by the waiting call; freed by it, or, if it has given up, by the desk.
struct Job : Link {
  void* (*work)(void*);
  void* arg;
  void* result;
  Thread* waiter;  // null: it has given up
  Desk* desk;
  Job* behind;  // in the pool's queue, then on the desk
  int error;    // why there is no result
  bool done;
};

struct Desk {
  st_bell_t bell;
  std::atomic<Job*> finished;  // pushed by helpers, taken all at once
  List<Job> outstanding;       // every job that has not been collected
};

thread_local Desk* own_desk = nullptr;

// The pool. One lock: a job takes at least the time of two kernel switches.
pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t work_there = PTHREAD_COND_INITIALIZER;
Job* queue_head = nullptr;
Job* queue_tail = nullptr;
int queued = 0;
int helpers = 0;
int idle_helpers = 0;
int limit = 16;  // enough to keep a disk or a few name servers busy

void* help(void*) {
  pthread_mutex_lock(&lock);
  for (;;) {
    while (!queue_head) {
      ++idle_helpers;
      pthread_cond_wait(&work_there, &lock);
      --idle_helpers;
    }
    Job* job = queue_head;
    queue_head = job->behind;
    --queued;
    pthread_mutex_unlock(&lock);

    job->result = job->work(job->arg);
    Desk* desk = job->desk;
    job->behind = desk->finished.load(std::memory_order_relaxed);
    while (!desk->finished.compare_exchange_weak(job->behind, job, std::memory_order_release,
                                                 std::memory_order_relaxed)) {
    }
    st_bell_ring(desk->bell);

    pthread_mutex_lock(&lock);
  }
  return nullptr;
}

// Called with the lock held. 0 or an errno.
int start_helper() {
  // Signals are for the program's own threads.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int error = pthread_create(&thread, nullptr, help, nullptr);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error) return error;
  pthread_detach(thread);
  ++helpers;
  return 0;
}

// Hands a job to the pool. False with errno if nobody can ever do it.
bool submit(Job* job) {
  pthread_mutex_lock(&lock);
  int error = 0;
  if (idle_helpers <= queued && helpers < limit) error = start_helper();
  if (error == 0 || helpers > 0) {
    error = 0;
    job->behind = nullptr;
    if (queue_head)
      queue_tail->behind = job;
    else
      queue_head = job;
    queue_tail = job;
    ++queued;
    pthread_cond_signal(&work_there);
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return error == 0;
}

void collect(Job* job, int error) {
  job->unlink();
  job->done = true;
  job->error = error;
  if (!job->waiter)
    free(job);
  else if (Scheduler::asleep(job->waiter))
    scheduler.wake(job->waiter, Wake::ready);
}

// The desk's state thread.
void* attend(void* arg) {
  auto* desk = static_cast<Desk*>(arg);
  for (;;) {
    st_bell_wait(desk->bell, ST_UTIME_NO_TIMEOUT);
    Job* job = desk->finished.exchange(nullptr, std::memory_order_acquire);
    while (job) {
      Job* next = job->behind;
      collect(job, 0);
      job = next;
    }
  }
  return nullptr;
}

// Kept until the process ends: helpers may still be on their way to it.
Desk* desk() {
  if (own_desk) return own_desk;
  auto* fresh = static_cast<Desk*>(calloc(1, sizeof(Desk)));
  if (!fresh) return nullptr;
  fresh->outstanding.make_empty();
  fresh->bell = st_bell_new();
  st_thread_t attendant = fresh->bell ? st_thread_create(attend, fresh, 0, 0) : nullptr;
  if (!attendant) {
    const int error = errno;
    if (fresh->bell) st_bell_destroy(fresh->bell);
    free(fresh);
    errno = error;
    return nullptr;
  }
  st_thread_setname(attendant, "st offload");
  scheduler.dismiss();  // the process does not go on for its sake
  return own_desk = fresh;
}

}  // namespace

void offload_after_fork() {
  // Another kernel thread may have held the lock while it forked.
  pthread_mutex_init(&lock, nullptr);
  pthread_cond_init(&work_there, nullptr);
  queue_head = queue_tail = nullptr;
  queued = helpers = idle_helpers = 0;
  if (!own_desk) return;
  own_desk->finished.store(nullptr, std::memory_order_relaxed);
  while (Job* job = own_desk->outstanding.front()) collect(job, ECANCELED);
}

}  // namespace st

using st::scheduler;

int st_offload(void* (*work)(void* arg), void* arg, void** resultp, st_utime_t timeout) {
  if (scheduler.take_interrupt()) return -1;
  st::Desk* desk = st::desk();
  auto* job = desk ? static_cast<st::Job*>(calloc(1, sizeof(st::Job))) : nullptr;
  if (!job) return -1;
  job->work = work;
  job->arg = arg;
  job->waiter = scheduler.current();
  job->desk = desk;
  desk->outstanding.push_back(job);
  if (!st::submit(job)) {
    const int error = errno;
    job->unlink();
    free(job);
    errno = error;
    return -1;
  }
  const st::Wake how = scheduler.outcome(scheduler.suspend(st::State::on_offload, timeout));
  if (how != st::Wake::ready) {
    if (job->done)
      free(job);
    else
      job->waiter = nullptr;
    return -1;
  }
  const int error = job->error;
  if (resultp && error == 0) *resultp = job->result;
  free(job);
  if (error == 0) return 0;
  errno = error;
  return -1;
}

int st_offload_limit(int helpers) {
  pthread_mutex_lock(&st::lock);
  const int before = st::limit;
  st::limit = helpers;
  pthread_mutex_unlock(&st::lock);
  return before;
}
