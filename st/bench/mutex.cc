// What does a lock cost, free and contended? Contended: two threads lock and unlock, and both
// libraries hand a lock over, so that each of the two always waits; an iteration has one switch.
#include "state_threads.h"

namespace {

template <class Library>
void lock_free_one(benchmark::State& state) {
  const st_mutex_t lock = Library::mutex_new();
  for (auto _ : state) {
    Library::mutex_lock(lock);
    benchmark::ClobberMemory();
    Library::mutex_unlock(lock);
  }
  Library::mutex_destroy(lock);
}

template <class Library>
void hand_over(benchmark::State& state) {
  static st_mutex_t lock;
  static bool stop;
  lock = Library::mutex_new();
  stop = false;
  static constexpr auto once = [] {
    Library::mutex_lock(lock);
    Library::mutex_unlock(lock);
  };
  Library::mutex_lock(lock);
  bench::Threads<Library> threads;
  threads.add(
      [](void*) -> void* {
        while (!stop) once();
        return nullptr;
      },
      nullptr);
  threads.settle();
  Library::mutex_unlock(lock);
  // From here on whoever asks for the lock finds that he has just handed it to the other.
  bench::repeat(state, 2, once);
  stop = true;
  threads.join();
  Library::mutex_destroy(lock);
}

const bool asked_free =
    bench::ask_both("mutex_free", lock_free_one<bench::Own>, lock_free_one<bench::Libst>);
const bool asked_contended =
    bench::ask_both("mutex_contended", hand_over<bench::Own>, hand_over<bench::Libst>);

}  // namespace
