// What does it cost to be woken by one of N descriptors, when N threads wait for one each? An
// iteration is: make a random descriptor readable, wait; its thread is woken, reads and wakes us.
// Four system calls are in it whatever the library does: write, wait, read, and the read that finds
// nothing.
#include <errno.h>
#include <sys/eventfd.h>

#include "state_threads.h"

namespace {

template <class Library>
struct Waker {
  st_cond_t answered = Library::cond_new();
  bool stop = false;
  ~Waker() { Library::cond_destroy(answered); }
};

template <class Library>
struct Sleeper {
  Waker<Library>* waker;
  int fd;
  st_netfd_t netfd;
};

template <class Library>
void* wait_for_one(void* arg) {
  const auto* sleeper = static_cast<const Sleeper<Library>*>(arg);
  uint64_t number;
  while (Library::read(sleeper->netfd, &number, sizeof number, ST_UTIME_NO_TIMEOUT) > 0 &&
         !sleeper->waker->stop)
    Library::cond_signal(sleeper->waker->answered);
  return nullptr;
}

void make_readable(int fd) {
  const uint64_t one = 1;
  if (write(fd, &one, sizeof one) < 0) abort();  // an eventfd takes 2^64 - 2 of them
}

template <class Library>
void wake_one(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  Waker<Library> waker;
  std::vector<Sleeper<Library>> sleepers(count);
  bench::Threads<Library> threads;
  const char* failure = nullptr;
  for (Sleeper<Library>& sleeper : sleepers) {
    sleeper = {&waker, eventfd(0, EFD_NONBLOCK), nullptr};
    if (sleeper.fd >= 0) sleeper.netfd = Library::netfd_open(sleeper.fd);
    if (!sleeper.netfd) {
      close(sleeper.fd);
      failure = "too few descriptors: see ulimit -n";
      sleepers.resize(static_cast<size_t>(&sleeper - sleepers.data()));
      break;
    }
  }
  for (Sleeper<Library>& sleeper : sleepers) threads.add(wait_for_one<Library>, &sleeper);
  threads.settle();
  if (failure) {
    state.SkipWithError(failure);
  } else {
    uint32_t random = 1;
    for (auto _ : state) {
      random = random * 1664525 + 1013904223;  // Numerical Recipes' generator
      make_readable(sleepers[(uint64_t{random} * count) >> 32].fd);
      Library::cond_wait(waker.answered);
    }
  }
  waker.stop = true;
  for (const Sleeper<Library>& sleeper : sleepers) make_readable(sleeper.fd);
  threads.join();
  for (const Sleeper<Library>& sleeper : sleepers) Library::netfd_close(sleeper.netfd);
}

const bool asked = bench::ask_both("wakeup", wake_one<bench::Own>, wake_one<bench::Libst>,
                                   {10, 100, 1'000, 10'000});

}  // namespace
