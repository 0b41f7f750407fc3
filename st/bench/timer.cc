// What does a timeout cost when many others are pending? Asked of the structure alone, against two
// others (docs/timers.md), and of a timed wait with the threads around it.
#include "timer.h"

#include <chrono>
#include <random>

#include "state_threads.h"
#include "timer_structures.h"

namespace {

// This library's own, with the interface of the others.
struct PairingHeap : st::TimerHeap {
  using Timer = st::Timer;
  Timer* take_first() { return take_due(st::kNever - 1); }
};

constexpr uint64_t kSecond = 1'000'000;      // microseconds, as all times here
constexpr uint64_t kTimeout = 30 * kSecond;  // of a connection that waits for a request

// Timers in no order of addresses, armed over the last `kTimeout`: what a server with so
// many waiting connections has.
template <class Queue>
struct Pending {
  Queue queue;
  std::vector<typename Queue::Timer> timers;
  std::vector<uint32_t> order;  // a permutation
  uint64_t now = 0;             // where the wheel begins

  explicit Pending(int64_t count) : timers(static_cast<size_t>(count)) {
    for (uint32_t i = 0; i < timers.size(); ++i) order.push_back(i);
    std::shuffle(order.begin(), order.end(), std::mt19937(1));
    for (const uint32_t index : order) {
      now += kTimeout / timers.size();
      queue.arm(&timers[index], now + kTimeout);
    }
  }

  // Takes so many that a structure which puts off its work has done it; first_due measures that.
  void settle() {
    for (int i = 0; i < 64; ++i) {
      auto* timer = queue.take_first();
      queue.arm(timer, timer->deadline + kTimeout);
    }
  }
};

// The answer comes: one more is armed and cancelled again. Nearly all timeouts of a server end so.
template <class Queue>
void answered(benchmark::State& state) {
  Pending<Queue> pending(state.range(0));
  typename Queue::Timer timer;
  for (auto _ : state) {
    pending.queue.arm(&timer, ++pending.now + kTimeout);
    pending.queue.cancel(&timer);
  }
}

// Traffic on any connection: its timer is cancelled and armed for later.
template <class Queue>
void postponed(benchmark::State& state) {
  Pending<Queue> pending(state.range(0));
  pending.settle();
  // Visits them all, since it divides none of the counts, but not in the order they were armed in.
  constexpr size_t kStride = 77'777;
  size_t next = 0;
  for (auto _ : state) {
    auto* timer = &pending.timers[pending.order[next]];
    next = (next + kStride) % pending.order.size();
    pending.queue.cancel(timer);
    pending.queue.arm(timer, ++pending.now + kTimeout);
  }
}

// The first one is due and its thread waits again, for a random time: sleepers.
template <class Queue>
void expired(benchmark::State& state) {
  Pending<Queue> pending(state.range(0));
  pending.settle();
  std::mt19937 random(1);
  for (auto _ : state) {
    auto* timer = pending.queue.take_first();
    pending.queue.arm(timer, timer->deadline + random() % kTimeout);
  }
}

// The worst single operation: the first one is due after all were armed one after the other.
template <class Queue>
void first_due(benchmark::State& state) {
  for (auto _ : state) {
    Pending<Queue> pending(state.range(0));
    const auto start = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(pending.queue.take_first());
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    state.SetIterationTime(taken.count());
  }
}

template <class Queue>
bool ask_structure(const char* name) {
  const std::vector<int64_t> counts = {100, 10'000, 1'000'000};
  bench::ask("timer_answered", name, answered<Queue>, counts);
  bench::ask("timer_postponed", name, postponed<Queue>, counts);
  bench::ask("timer_expired", name, expired<Queue>, counts);
  // Each iteration arms them all, so there are few.
  for (const int64_t count : counts)
    benchmark::RegisterBenchmark((std::string("timer_first_due/") + name).c_str(), first_due<Queue>)
        ->Arg(count)
        ->UseManualTime()
        ->Iterations(count < 1'000'000 ? 20 : 1);
  return true;
}

const bool asked_ours = ask_structure<PairingHeap>("st");
const bool asked_binary = ask_structure<bench::BinaryHeap>("binary_heap");
const bool asked_wheel = ask_structure<bench::Wheel>("wheel");

// Two threads wake each other from timed waits, while others are in timed waits: an iteration is
// arm, switch, wake, cancel.
template <class Library>
void timed_wait(benchmark::State& state) {
  static st_cond_t turns[2], end;
  static bool stop;
  for (st_cond_t* cond : {&turns[0], &turns[1], &end}) *cond = Library::cond_new();
  stop = false;
  bench::Threads<Library> threads;
  for (int64_t i = 0; i < state.range(0); ++i)
    threads.add(
        [](void*) -> void* {
          Library::cond_timedwait(end, 3600 * kSecond);
          return nullptr;
        },
        nullptr);
  threads.add(
      [](void*) -> void* {
        while (!stop) {
          Library::cond_timedwait(turns[1], kTimeout);
          Library::cond_signal(turns[0]);
        }
        return nullptr;
      },
      nullptr);
  threads.settle();
  const auto round = [] {
    Library::cond_signal(turns[1]);
    Library::cond_timedwait(turns[0], kTimeout);
  };
  bench::repeat(state, 2, round);
  stop = true;
  round();
  for (int64_t i = 0; i < state.range(0); ++i) Library::cond_signal(end);
  threads.join();
  for (const st_cond_t cond : {turns[0], turns[1], end}) Library::cond_destroy(cond);
}

const bool asked_wait =
    bench::ask_both("timed_wait", timed_wait<bench::Own>, timed_wait<bench::Libst>, {100, 10'000});

}  // namespace
