// Internal: include only inside st/src. The switch for 64-bit Arm (AAPCS64).
//
// fp is x29. Declared overwritten are x19-x28, the link register x30, and the lower halves d8-d15
// of v8-v15. x18 is a scratch register on Linux; a build that keeps a shadow call stack in it would
// need it in Context.
//
// The switch jumps: a `ret` would be predicted from the CPU's stack of return addresses, which is
// the other thread's.
#pragma once

#include "context/inline.h"

#ifdef __SHADOW_CALL_STACK__
#error "a shadow call stack does not follow the switch: build without -fsanitize=shadow-call-stack"
#endif

namespace st {

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
