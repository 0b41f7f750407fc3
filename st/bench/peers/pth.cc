// GNU Pth. Its scheduler is a thread of its own and asks the kernel for signals and for the time in
// every round, so it is not asked about thousands of threads.
#include <pth.h>

#include "ask.h"

namespace {

bool ready() {
  static const bool initialized = pth_init() != FALSE;
  return initialized;
}

pth_attr_t joinable() {
  const pth_attr_t attributes = pth_attr_new();
  pth_attr_set(attributes, PTH_ATTR_STACK_SIZE, static_cast<unsigned>(bench::kStackBytes));
  return attributes;
}

void give_way(benchmark::State& state) {
  static bool stop;
  if (!ready()) return state.SkipWithError("pth_init() failed");
  stop = false;
  const auto until_stopped = [](void*) -> void* {
    while (!stop) pth_yield(nullptr);
    return nullptr;
  };
  const pth_attr_t attributes = joinable();
  std::vector<pth_t> threads;
  for (int64_t i = 1; i < state.range(0); ++i)
    threads.push_back(pth_spawn(attributes, until_stopped, nullptr));
  pth_yield(nullptr);
  bench::repeat(state, state.range(0), [] { pth_yield(nullptr); });
  stop = true;
  for (const pth_t thread : threads) pth_join(thread, nullptr);
  pth_attr_destroy(attributes);
}

struct PingPong {
  pth_mutex_t mutex = PTH_MUTEX_INIT;
  pth_cond_t changed = PTH_COND_INIT;
  int turn = 0;
  bool stop = false;

  void wait(int who) {
    while (turn != who) pth_cond_await(&changed, &mutex, nullptr);
  }
  // Waits for the turn of `who` and gives it to the other.
  void play(int who) {
    wait(who);
    turn = 1 - who;
    pth_cond_notify(&changed, FALSE);
  }
};

void pass_round(benchmark::State& state) {
  if (!ready()) return state.SkipWithError("pth_init() failed");
  PingPong game;
  const pth_attr_t attributes = joinable();
  const pth_t other = pth_spawn(
      attributes,
      [](void* arg) -> void* {
        auto* played = static_cast<PingPong*>(arg);
        pth_mutex_acquire(&played->mutex, FALSE, nullptr);
        while (!played->stop) played->play(1);
        pth_mutex_release(&played->mutex);
        return nullptr;
      },
      &game);
  pth_mutex_acquire(&game.mutex, FALSE, nullptr);
  bench::repeat(state, 2, [&] { game.play(0); });
  game.wait(0);  // the other one is in the game, so that it sees the end of it
  game.stop = true;
  game.play(0);
  pth_mutex_release(&game.mutex);
  pth_join(other, nullptr);
  pth_attr_destroy(attributes);
}

void lock_free_one(benchmark::State& state) {
  if (!ready()) return state.SkipWithError("pth_init() failed");
  pth_mutex_t mutex = PTH_MUTEX_INIT;
  for (auto _ : state) {
    pth_mutex_acquire(&mutex, FALSE, nullptr);
    benchmark::ClobberMemory();
    pth_mutex_release(&mutex);
  }
}

void create_and_join(benchmark::State& state) {
  if (!ready()) return state.SkipWithError("pth_init() failed");
  const pth_attr_t attributes = joinable();
  for (auto _ : state)
    pth_join(pth_spawn(
                 attributes, [](void* arg) { return arg; }, nullptr),
             nullptr);
  pth_attr_destroy(attributes);
}

const auto* asked_switch = bench::ask("switch", "pth", give_way, {2});
const auto* asked_condition = bench::ask("condition", "pth", pass_round, {2});
const auto* asked_mutex = bench::ask("mutex_free", "pth", lock_free_one);
const auto* asked_create = bench::ask("create", "pth", create_and_join);

}  // namespace
