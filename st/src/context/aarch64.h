// Internal: include only inside st/src. The switch for 64-bit Arm (AAPCS64).
//
//   Context        offset
//     sp              0     stack pointer at the moment of leaving
//     fp              8     x29: the compiler may need it and does not let assembly declare it
//     pc             16     where to go on
//
// The other registers that a function must keep (x19-x28, the link register x30, and the lower
// halves d8-d15 of v8-v15) are declared overwritten instead of stored: the compiler saves those
// that the surrounding function holds something in, on the stack that is being left. x18 is a
// scratch register on Linux; a build that keeps a shadow call stack in it would need it in Context.
//
// The switch jumps: a `ret` would be predicted from the CPU's stack of return addresses, which is
// the other thread's.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __SHADOW_CALL_STACK__
#error "a shadow call stack does not follow the switch: build without -fsanitize=shadow-call-stack"
#endif

// For functions that nearly always return on another thread's behalf than they were called on. They
// would gain from returning by a jump here too, but no compiler can be told so for this CPU.
#define ST_RETURNS_BY_JUMP

namespace st {

struct Context {
  void* sp;
  void* fp;
  void* pc;
};
static_assert(offsetof(Context, sp) == 0 && offsetof(Context, fp) == 8 &&
              offsetof(Context, pc) == 16);

extern "C" void st_context_entry();  // aarch64.S

inline void context_prepare(Context* context, void* stack_top) {
  // The CPU refuses to use a stack pointer that is not a multiple of 16. The null frame pointer
  // ends the chain of frame records.
  context->sp = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(stack_top) & ~uintptr_t{15});
  context->fp = nullptr;
  context->pc = reinterpret_cast<void*>(&st_context_entry);
}

[[gnu::always_inline]] inline int context_switch(Context* from, const Context* to, int value) {
  // Hint 36 is `bti j`, the mark that an indirect jump may arrive here; older CPUs do nothing at
  // it.
  register Context* left asm("x0") = from;
  register const Context* entered asm("x1") = to;
  register int passed asm("x2") = value;
  asm volatile(
      "adr    x17, 1f\n\t"
      "mov    x16, sp\n\t"
      "stp    x16, x29, [%[from]]\n\t"
      "str    x17, [%[from], #16]\n\t"
      "ldp    x16, x29, [%[to]]\n\t"
      "ldr    x17, [%[to], #16]\n\t"
      "mov    sp, x16\n\t"
      "br     x17\n"
      "1:\thint   #36"
      : [from] "+r"(left), [to] "+r"(entered), "+r"(passed)
      :
      : "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
        "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30",
        "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11",
        "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24",
        "v25", "v26", "v27", "v28", "v29", "v30", "v31"
#ifdef __ARM_FEATURE_SVE
        ,
        "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13",
        "p14", "p15"
#endif
  );
  return passed;
}

}  // namespace st
