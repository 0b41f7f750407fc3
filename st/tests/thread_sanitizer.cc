// A program for ThreadSanitizer, which must find nothing in it: a scheduler for each kernel thread,
// their threads, bells between them, work in helpers, and a signal. With the argument "race" it
// does what is wrong, so that the test can tell a tool that is content from one that sees nothing.
#include <pthread.h>
#include <signal.h>
#include <st.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace {

constexpr int kSchedulers = 3;
constexpr int kRounds = 200;
constexpr int kWorkers = 8;
constexpr st_utime_t kLong = 60'000'000;  // microseconds

void require(bool holds, const char* what) {
  if (holds) return;
  perror(what);
  exit(1);
}

// What one scheduler sends another: under a lock of the system, announced by a bell.
struct Mailbox {
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  st_bell_t bell = nullptr;
  int letters = 0;
  int read = 0;
};
Mailbox mailboxes[kSchedulers];
pthread_barrier_t everybody;

void send(Mailbox& to) {
  pthread_mutex_lock(&to.lock);
  ++to.letters;
  pthread_mutex_unlock(&to.lock);
  st_bell_ring(to.bell);
}

void receive(Mailbox& mine) {
  while (mine.read == 0) {
    require(st_bell_wait(mine.bell, kLong) > 0, "st_bell_wait");
    pthread_mutex_lock(&mine.lock);
    mine.read = mine.letters;
    mine.letters = 0;
    pthread_mutex_unlock(&mine.lock);
  }
  --mine.read;
}

// What the threads of one scheduler share needs no lock, unless it spans a wait; and what is given
// to a helper is the helper's until the call returns.
struct Shared {
  st_mutex_t lock = st_mutex_new();
  st_cond_t ended = st_cond_new();
  int counter = 0;
  int working = kWorkers;
};

void* add_one(void* number) {
  ++*static_cast<int*>(number);
  return nullptr;
}

void* work(void* argument) {
  auto* const shared = static_cast<Shared*>(argument);
  for (int round = 0; round < kRounds; ++round) {
    require(st_mutex_lock(shared->lock) == 0, "st_mutex_lock");
    const int before = shared->counter;
    if (round % 20 == 0) {
      int number = before;
      require(st_offload(add_one, &number, nullptr, kLong) == 0, "st_offload");
      shared->counter = number;
    } else {
      st_usleep(static_cast<st_utime_t>(round % 3));
      shared->counter = before + 1;
    }
    st_mutex_unlock(shared->lock);
    st_thread_yield();
  }
  if (--shared->working == 0) st_cond_signal(shared->ended);
  return nullptr;
}

void* pass_letters_on(void* argument) {
  const long me = reinterpret_cast<long>(argument);
  for (int round = 0; round < kRounds; ++round) {
    if (me == 0) send(mailboxes[1]);
    receive(mailboxes[me]);
    if (me != 0) send(mailboxes[(me + 1) % kSchedulers]);
  }
  return nullptr;
}

void* scheduler(void* argument) {
  require(st_init() == 0, "st_init");
  const long me = reinterpret_cast<long>(argument);
  mailboxes[me].bell = st_bell_new();
  require(mailboxes[me].bell != nullptr, "st_bell_new");
  pthread_barrier_wait(&everybody);

  Shared shared;
  const st_thread_t postman = st_thread_create(pass_letters_on, argument, 1, 0);
  for (int i = 0; i < kWorkers; ++i)
    require(st_thread_create(work, &shared, 0, 0) != nullptr, "st_thread_create");
  while (shared.working > 0) require(st_cond_wait(shared.ended) == 0, "st_cond_wait");
  require(st_thread_join(postman, nullptr) == 0, "st_thread_join");
  require(shared.counter == kWorkers * kRounds, "some of the work is lost");

  pthread_barrier_wait(&everybody);  // nobody rings any more
  st_bell_destroy(mailboxes[me].bell);
  st_mutex_destroy(shared.lock);
  st_cond_destroy(shared.ended);
  return nullptr;
}

st_bell_t told;
void on_signal(int) { st_bell_ring(told); }

void await_a_signal() {
  told = st_bell_new();
  require(told && signal(SIGUSR1, on_signal) != SIG_ERR, "signal");
  raise(SIGUSR1);
  require(st_bell_wait(told, kLong) == 1, "st_bell_wait");
  st_bell_destroy(told);
}

int unprotected;
void* race(void*) {
  require(st_init() == 0, "st_init");
  for (int i = 0; i < 1'000; ++i) {
    ++unprotected;
    st_usleep(0);
  }
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  const bool wrong = argc > 1 && strcmp(argv[1], "race") == 0;
  pthread_t threads[kSchedulers];
  pthread_barrier_init(&everybody, nullptr, kSchedulers);
  for (long i = 0; i < kSchedulers; ++i)
    pthread_create(&threads[i], nullptr, wrong ? race : scheduler, reinterpret_cast<void*>(i));
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
  require(st_init() == 0, "st_init");
  await_a_signal();
  puts("done");
}
