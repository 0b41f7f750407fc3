// Internal: include only inside st/src. The switch for every other CPU, with what the C library has
// for it: <ucontext.h>.
//
//   Context
//     state           where it was left: on the stack that it belongs to
//     passed          what the switch to it returns
//
// Unlike the others it keeps the signal mask for each thread, as swapcontext() does: a system call
// in every switch, two on some CPUs. A switch costs many times as much as one in assembly. That is
// why it is not used where there is one, and is also its second use: the price of the mask can be
// measured (ST_CONTEXT=ucontext).
#pragma once

#include <ucontext.h>

namespace st {

struct Context {
  ucontext_t* state;
  int passed;  // by who switches to it
};

// Takes the place for a ucontext_t from the stack for good: 968 bytes on x86-64, and on aarch64 4.5
// KiB, so that a stack must have more than a page there.
void context_prepare(Context* context, void* stack_top);

[[gnu::always_inline]] inline int context_switch(Context* from, Context* to, int value) {
  ucontext_t here;
  here.uc_stack = {};  // AddressSanitizer reads it, and swapcontext() does not write it
  from->state = &here;
  to->passed = value;
  swapcontext(&here, to->state);
  return from->passed;
}

}  // namespace st
