// The first frame of a new thread.
#include <stdint.h>

#include "context/context.h"

namespace st {

void context_prepare(Context* context, void* stack_top) {
  constexpr uintptr_t kAlignment = 16;  // enough for a ucontext_t and for every stack
  uintptr_t top = reinterpret_cast<uintptr_t>(stack_top) - sizeof(ucontext_t);
  top &= ~(kAlignment - 1);
  context->state = reinterpret_cast<ucontext_t*>(top);
  getcontext(context->state);  // the signal mask of whoever creates the thread
  // All that makecontext() wants to know is where the stack ends; how deep it goes is not known
  // here.
  constexpr uintptr_t kSomeDepth = 1024;
  context->state->uc_stack.ss_sp = reinterpret_cast<void*>(top - kSomeDepth);
  context->state->uc_stack.ss_size = kSomeDepth;
  context->state->uc_link = nullptr;
  makecontext(context->state, st_thread_main, 0);
}

}  // namespace st
