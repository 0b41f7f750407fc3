// Threads of the kernel, on as many CPUs as the benchmark may use.
#include <condition_variable>
#include <mutex>
#include <thread>

#include "ask.h"

namespace {

void pass_round(benchmark::State& state) {
  std::mutex mutex;
  std::condition_variable changed;
  int turn = 0;
  bool stop = false;
  // Waits for the turn of `who` and gives it to the other.
  const auto play = [&](int who, std::unique_lock<std::mutex>& lock) {
    changed.wait(lock, [&] { return turn == who; });
    turn = 1 - who;
    changed.notify_one();
  };
  std::thread other([&] {
    std::unique_lock lock(mutex);
    while (!stop) play(1, lock);
  });
  {
    std::unique_lock lock(mutex);
    bench::repeat(state, 2, [&] { play(0, lock); });
    changed.wait(lock,
                 [&] { return turn == 0; });  // the other one is in the game, and sees its end
    stop = true;
    play(0, lock);
  }
  other.join();
}

void lock_free_one(benchmark::State& state) {
  std::mutex mutex;
  for (auto _ : state) {
    mutex.lock();
    benchmark::ClobberMemory();
    mutex.unlock();
  }
}

void create_and_join(benchmark::State& state) {
  for (auto _ : state) std::thread([] {}).join();
}

// The work is done in other threads and in the kernel: only the time of day counts all of it.
const bool asked = [] {
  bench::ask("condition", "std_thread", pass_round, {2})->UseRealTime();
  bench::ask("mutex_free", "std_thread", lock_free_one)->UseRealTime();
  bench::ask("create", "std_thread", create_and_join)->UseRealTime();
  return true;
}();

}  // namespace
