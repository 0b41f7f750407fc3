// Blocking work: a pool of helper kernel threads for the process, and for each scheduler a desk
// where finished work is collected. A helper puts the finished job on the desk and rings its bell;
// the desk's own state thread then wakes those who waited. This is the asymmetric architecture of
// the founding paper as one call.
#include "offload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <utility>

#include "bell.h"
#include "errors.h"
#include "scheduler.h"

namespace st {

struct Desk {
  st_bell_t bell;  // null before the first work
  List<Job> finished;
};

namespace {

thread_local constinit Desk desk{};

// The pool. One lock: a job takes at least the time of two kernel switches.
pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t work_there = PTHREAD_COND_INITIALIZER;
constinit List<Job> not_begun;
constinit List<Job> under_way;
int queued = 0;  // how many are not begun
int helpers = 0;
int idle_helpers = 0;
int limit = 16;  // enough to keep a disk or a few name servers busy
int desks = 0;   // of schedulers that there are; without any, helpers end

struct Locked {
  Locked() { pthread_mutex_lock(&lock); }
  ~Locked() { pthread_mutex_unlock(&lock); }
};

// Brings a job that is in no list any more back to its desk.
void bring_back(Job* job) {
  if (!job->desk) return job->dispose(job);
  job->finished = true;
  job->desk->finished.push_back(job);
  st_bell_ring(job->desk->bell);
}

void* help(void*) {
  const Locked locked;
  while (desks > 0 || queued > 0) {
    Job* job = not_begun.front();
    if (!job) {
      ++idle_helpers;
      pthread_cond_wait(&work_there, &lock);
      --idle_helpers;
      continue;
    }
    job->unlink();
    --queued;
    under_way.push_back(job);
    pthread_mutex_unlock(&lock);
    job->result = job->work(job->arg);
    pthread_mutex_lock(&lock);
    job->unlink();
    bring_back(job);
  }
  --helpers;
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

// 0, or an errno if nobody can ever do it.
int submit(Job* job) {
  const Locked locked;
  const int error = idle_helpers <= queued && helpers < limit ? start_helper() : 0;
  if (helpers == 0) return error;
  not_begun.push_back(job);
  ++queued;
  pthread_cond_signal(&work_there);
  return 0;
}

// The desk's state thread.
void* attend(void*) {
  for (;;) {
    st_bell_wait(desk.bell, ST_UTIME_NO_TIMEOUT);
    offload_collect();
  }
  return nullptr;
}

// Made by the first work. 0 or an errno.
int open_desk() {
  scheduler.events.notice_fork();  // the desk is the parent's, too
  if (desk.bell) return 0;
  st_bell_t bell = st_bell_new();
  st_thread_t attendant = bell ? st_thread_create(attend, nullptr, 0, 0) : nullptr;
  if (!attendant) {
    const int error = errno;
    if (bell) st_bell_destroy(bell);
    return error;
  }
  st_thread_setname(attendant, "st offload");
  scheduler.dismiss();  // the process does not go on for its sake
  desk.bell = bell;
  const Locked locked;
  ++desks;
  return 0;
}

}  // namespace

int hand_over(Job* job, uint64_t timeout) {
  job->waiter = scheduler.current();
  job->desk = &desk;
  int error = scheduler.take_interrupt() ? EINTR : open_desk();
  if (error == 0) error = submit(job);
  if (error == 0) {
    const Wake how = scheduler.outcome(scheduler.suspend(State::on_offload, timeout));
    const Locked locked;
    if (!job->finished) {
      job->desk = nullptr;
      return -1;
    }
    job->unlink();
    if (how == Wake::ready && !job->canceled) return 0;
    error = job->canceled ? ECANCELED : errno;
  }
  job->dispose(job);
  return fail(error);
}

void offload_collect() {
  const Locked locked;
  for (Job* job = desk.finished.front(); job; job = desk.finished.after(job))
    if (Scheduler::asleep(job->waiter)) scheduler.wake(job->waiter, Wake::ready);
}

void offload_before_fork() { pthread_mutex_lock(&lock); }
void offload_in_parent() { pthread_mutex_unlock(&lock); }

void offload_in_child() {
  Job* next;
  for (List<Job>* list : {&not_begun, &under_way}) {
    for (Job* job = list->front(); job; job = next) {
      next = list->after(job);
      const bool ours = job->desk == &desk;
      // What is not ours nobody is to begin; and of what is under way it may be we who do it.
      if (ours || list == &not_begun) job->unlink();
      if (!ours) continue;
      job->finished = job->canceled = true;
      desk.finished.push_back(job);
    }
  }
  queued = helpers = idle_helpers = 0;
  desks = desk.bell != nullptr;
  pthread_cond_init(&work_there, nullptr);  // without those who waited
  pthread_mutex_unlock(&lock);
}

void offload_end() {
  if (!std::exchange(desk.bell, nullptr)) return;
  const Locked locked;
  for (List<Job>* list : {&not_begun, &under_way})
    for (Job* job = list->front(); job; job = list->after(job))
      if (job->desk == &desk) job->desk = nullptr;
  while (Job* job = desk.finished.front()) {
    job->unlink();
    job->dispose(job);  // whom it was done for will not run any more
  }
  if (--desks == 0) pthread_cond_broadcast(&work_there);
}

}  // namespace st

using st::scheduler;

int st_offload(void* (*work)(void* arg), void* arg, void** resultp, st_utime_t timeout) {
  auto* job = static_cast<st::Job*>(calloc(1, sizeof(st::Job)));
  if (!job) return -1;
  job->work = work;
  job->arg = arg;
  job->dispose = [](st::Job* it) { free(it); };
  if (st::hand_over(job, timeout) != 0) return -1;
  if (resultp) *resultp = job->result;
  job->dispose(job);
  return 0;
}

int st_offload_limit(int helpers) {
  if (helpers < 1) return st::fail(EINVAL);  // work would be accepted that nobody does
  const st::Locked locked;
  return std::exchange(st::limit, helpers);
}
