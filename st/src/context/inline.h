// Internal: include only inside st/src. What the switches in inline assembly have in common.
//
//   Context        offset
//     sp              0     stack pointer at the moment of leaving
//     fp              8     frame pointer: the compiler may need it and does not let assembly
//                           declare it
//     pc             16     where to go on
//
// The other registers that a function must keep are declared overwritten instead of stored: the
// compiler saves those that the surrounding function holds something in, on the stack that is being
// left.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace st {

struct Context {
  void* sp;
  void* fp;
  void* pc;
};
static_assert(offsetof(Context, sp) == 0 && offsetof(Context, fp) == 8 &&
              offsetof(Context, pc) == 16);

extern "C" void st_context_entry();  // in assembly

inline void context_prepare(Context* context, void* stack_top) {
  // The stack is aligned to 16 bytes at every call (aarch64 refuses to use one that is not). The
  // null frame pointer ends the chain of frames.
  context->sp = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(stack_top) & ~uintptr_t{15});
  context->fp = nullptr;
  context->pc = reinterpret_cast<void*>(&st_context_entry);
}

}  // namespace st
