// Boost.Fiber: Boost.Context with a scheduler, locks and condition variables that also work between
// kernel threads, which costs them a spinlock.
#include <boost/fiber/all.hpp>

#include "ask.h"

namespace {

namespace fibers = boost::fibers;

template <class Function>
std::vector<fibers::fiber> start(int64_t count, Function function) {
  fibers::pooled_fixedsize_stack stacks(bench::kStackBytes);
  std::vector<fibers::fiber> started;
  for (int64_t i = 1; i <= count; ++i)
    started.emplace_back(std::allocator_arg, stacks, function, static_cast<size_t>(i));
  return started;
}

void give_way(benchmark::State& state) {
  bool stop = false;
  auto threads = start(state.range(0) - 1, [&stop](size_t) {
    while (!stop) boost::this_fiber::yield();
  });
  boost::this_fiber::yield();
  bench::repeat(state, state.range(0), boost::this_fiber::yield);
  stop = true;
  for (auto& thread : threads) thread.join();
}

void pass_round(benchmark::State& state) {
  struct Place {
    bool turn = false;
    fibers::condition_variable woken;
  };
  const auto count = static_cast<size_t>(state.range(0));
  std::vector<Place> ring(count);
  fibers::mutex mutex;
  bool stop = false;
  const auto wake = [&](size_t index) {
    ring[index].turn = true;
    ring[index].woken.notify_one();
  };
  const auto wait = [&](size_t index, std::unique_lock<fibers::mutex>& lock) {
    ring[index].woken.wait(lock, [&] { return ring[index].turn; });
    ring[index].turn = false;
  };
  auto threads = start(state.range(0) - 1, [&](size_t index) {
    std::unique_lock lock(mutex);
    while (!stop) {
      wait(index, lock);
      wake((index + 1) % count);
    }
  });
  {
    std::unique_lock lock(mutex);
    bench::repeat(state, state.range(0), [&] {
      wake(1);
      wait(0, lock);
    });
    stop = true;
    wake(1);
    wait(0, lock);
  }
  for (auto& thread : threads) thread.join();
}

void lock_free_one(benchmark::State& state) {
  fibers::mutex mutex;
  for (auto _ : state) {
    mutex.lock();
    benchmark::ClobberMemory();
    mutex.unlock();
  }
}

void create_and_join(benchmark::State& state) {
  fibers::pooled_fixedsize_stack stacks(bench::kStackBytes);
  for (auto _ : state) fibers::fiber(std::allocator_arg, stacks, [] {}).join();
}

const auto* asked_switch = bench::ask("switch", "boost_fiber", give_way, {2, 10'000});
const auto* asked_condition = bench::ask("condition", "boost_fiber", pass_round, {2, 10'000});
const auto* asked_mutex = bench::ask("mutex_free", "boost_fiber", lock_free_one);
const auto* asked_create = bench::ask("create", "boost_fiber", create_and_join);

}  // namespace
