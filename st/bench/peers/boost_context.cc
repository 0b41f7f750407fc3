// Boost.Context: the bare switch. It has no scheduler, no locks and no waiting, so it shows how
// much of a switch in a library with all of that is the switch itself.
#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>

#include "ask.h"

namespace {

namespace context = boost::context;

// Each fiber resumes the next one, and the last one the first: a switch for each turn, as in a
// library. What resume() returns is the fiber that has resumed us, which is the one before us.
void resume_next(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  context::pooled_fixedsize_stack stacks(bench::kStackBytes);
  std::vector<context::fiber> ring(count);
  for (size_t i = 1; i < count; ++i)
    ring[i] =
        context::fiber(std::allocator_arg, stacks, [&ring, i, count](context::fiber&& before) {
          ring[i - 1] = std::move(before);
          const size_t next = (i + 1) % count;
          for (;;) ring[i - 1] = std::move(ring[next]).resume();
          return context::fiber();
        });
  bench::repeat(state, state.range(0), [&] { ring[count - 1] = std::move(ring[1]).resume(); });
}

// Made, entered, left at its end and destroyed: what a thread's life is without a scheduler.
void create_and_finish(benchmark::State& state) {
  context::pooled_fixedsize_stack stacks(bench::kStackBytes);
  for (auto _ : state) {
    context::fiber fiber(std::allocator_arg, stacks,
                         [](context::fiber&& before) { return std::move(before); });
    fiber = std::move(fiber).resume();
  }
}

const auto* asked_switch = bench::ask("switch", "boost_context", resume_next, {2, 10'000});
const auto* asked_create = bench::ask("create", "boost_context", create_and_finish);

}  // namespace
