// swapcontext(), which keeps the signal mask of each context and so enters the kernel in every
// switch: the cost that the founding paper of State Threads names.
#include <ucontext.h>

#include <memory>

#include "ask.h"

namespace {

struct Fiber {
  ucontext_t context;
  Fiber* next;
  std::unique_ptr<char[]> stack;
};

Fiber* entered;  // makecontext() passes only integers

void resume_next() {
  for (Fiber* self = entered;;) {
    entered = self->next;
    swapcontext(&self->context, &self->next->context);
  }
}

// Apart from the caller's loop, since getcontext() may return twice for all that the compiler
// knows.
void prepare(Fiber* fiber) {
  fiber->stack = std::make_unique_for_overwrite<char[]>(bench::kStackBytes);
  getcontext(&fiber->context);
  fiber->context.uc_stack.ss_sp = fiber->stack.get();
  fiber->context.uc_stack.ss_size = bench::kStackBytes;
  makecontext(&fiber->context, resume_next, 0);
}

void swap_contexts(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  std::vector<Fiber> ring(count);
  for (size_t i = 0; i < count; ++i) {
    ring[i].next = &ring[(i + 1) % count];
    if (i > 0) prepare(&ring[i]);  // the first one is the caller
  }
  bench::repeat(state, state.range(0), [&] {
    entered = &ring[1];
    swapcontext(&ring[0].context, &ring[1].context);
  });
}

const auto* asked = bench::ask("switch", "ucontext", swap_contexts, {2, 10'000});

}  // namespace
