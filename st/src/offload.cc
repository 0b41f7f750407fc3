// Blocking work: a pool of helper kernel threads for the process, and for each scheduler a desk
// where finished work is collected. A helper puts the finished job on the desk and rings its bell;
// the desk's own state thread then wakes those who waited. This is the asymmetric architecture of
// the founding paper as one call.
#include "offload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

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

// Outlives its scheduler when helpers are still on their way to it.
struct Desk {
  st_bell_t bell;
  int bell_fd;                 // its descriptor, which belongs to the desk
  std::atomic<int> users;      // the scheduler, and every job that a helper has or will have
  std::atomic<Job*> finished;  // pushed by helpers, taken all at once
  List<Job> outstanding;       // every job that has not been freed
};

thread_local Desk* own_desk = nullptr;

// Whoever goes last takes along what nobody will collect.
void leave(Desk* desk) {
  if (desk->users.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  for (Job *job = desk->finished, *next; job; job = next) {
    next = job->behind;
    free(job);
  }
  close(desk->bell_fd);
  free(desk);
}

// The pool. One lock: a job takes at least the time of two kernel switches.
pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t work_there = PTHREAD_COND_INITIALIZER;
Job* queue_head = nullptr;
Job* queue_tail = nullptr;
int queued = 0;
int helpers = 0;
int idle_helpers = 0;
int limit = 16;  // enough to keep a disk or a few name servers busy
int desks = 0;   // of schedulers that there are; without any, helpers end

void* help(void*) {
  pthread_mutex_lock(&lock);
  for (;;) {
    while (!queue_head) {
      if (desks == 0) {
        --helpers;
        pthread_mutex_unlock(&lock);
        return nullptr;
      }
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
    ring(desk->bell_fd);
    leave(desk);

    pthread_mutex_lock(&lock);
  }
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
    job->desk->users.fetch_add(1, std::memory_order_relaxed);
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

void free_job(Job* job) {
  job->unlink();
  free(job);
}

void collect(Job* job, int error) {
  job->done = true;
  job->error = error;
  if (!job->waiter)
    free_job(job);
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

// Made by the first work.
Desk* desk() {
  if (own_desk) return own_desk;
  auto* fresh = static_cast<Desk*>(calloc(1, sizeof(Desk)));
  if (!fresh) return nullptr;
  fresh->bell = st_bell_new();
  st_thread_t attendant = fresh->bell ? st_thread_create(attend, fresh, 0, 0) : nullptr;
  if (!attendant) {
    const int error = errno;
    if (fresh->bell) st_bell_destroy(fresh->bell);
    free(fresh);
    errno = error;
    return nullptr;
  }
  fresh->bell_fd = st_netfd_fileno(fresh->bell->netfd);
  fresh->users = 1;
  pthread_mutex_lock(&lock);
  ++desks;
  pthread_mutex_unlock(&lock);
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
  desks = own_desk != nullptr;
  if (!own_desk) return;
  own_desk->users = 1;
  own_desk->finished.store(nullptr, std::memory_order_relaxed);
  Job* next;
  for (Job* job = own_desk->outstanding.front(); job; job = next) {
    next = own_desk->outstanding.after(job);
    if (!job->done) collect(job, ECANCELED);
  }
}

void offload_end() {
  if (!own_desk) return;
  Job* next;
  for (Job* job = own_desk->outstanding.front(); job; job = next) {
    next = own_desk->outstanding.after(job);
    if (job->done) free_job(job);  // whom it was done for will not run any more
  }
  bell_disown(own_desk->bell);
  pthread_mutex_lock(&lock);
  if (--desks == 0) pthread_cond_broadcast(&work_there);
  pthread_mutex_unlock(&lock);
  leave(own_desk);
  own_desk = nullptr;
}

}  // namespace st

using st::scheduler;

int st_offload(void* (*work)(void* arg), void* arg, void** resultp, st_utime_t timeout) {
  if (scheduler.take_interrupt()) return -1;
  scheduler.events.notice_fork();  // before the pool is used, which is the parent's
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
    st::free_job(job);
    errno = error;
    return -1;
  }
  const st::Wake how = scheduler.outcome(scheduler.suspend(st::State::on_offload, timeout));
  if (how != st::Wake::ready) {
    if (job->done)
      st::free_job(job);
    else
      job->waiter = nullptr;
    return -1;
  }
  const int error = job->error;
  if (resultp && error == 0) *resultp = job->result;
  st::free_job(job);
  if (error == 0) return 0;
  errno = error;
  return -1;
}

int st_offload_limit(int helpers) {
  if (helpers < 1) {  // work would be accepted that nobody does
    errno = EINVAL;
    return -1;
  }
  if (scheduler.ready()) scheduler.events.notice_fork();
  pthread_mutex_lock(&st::lock);
  const int before = st::limit;
  st::limit = helpers;
  pthread_mutex_unlock(&st::lock);
  return before;
}
