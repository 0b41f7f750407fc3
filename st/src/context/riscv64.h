// Internal: include only inside st/src. The switch for 64-bit RISC-V (psABI, with or without
// floating point).
//
// fp is s0. Declared overwritten are s1-s11, fs0-fs11 and the return address ra. gp and tp belong
// to the process and to the kernel thread, and stay.
//
// The switch jumps through t2. A jump through ra or t0 would count as a return, predicted from the
// CPU's stack of return addresses, which is the other thread's; and t2 is the register that needs
// no landing pad at its target (Zicfilp).
#pragma once

#include "context/inline.h"

namespace st {

[[gnu::always_inline]] inline int context_switch(Context* from, const Context* to, int value) {
  register Context* left asm("a0") = from;
  register const Context* entered asm("a1") = to;
  register int passed asm("a2") = value;
  asm volatile(
      "lla    t2, 1f\n\t"
      "sd     sp, 0(%[from])\n\t"
      "sd     s0, 8(%[from])\n\t"
      "sd     t2, 16(%[from])\n\t"
      "ld     t2, 16(%[to])\n\t"
      "ld     sp, 0(%[to])\n\t"
      "ld     s0, 8(%[to])\n\t"
      "jr     t2\n"
      "1:"
      : [from] "+r"(left), [to] "+r"(entered), "+r"(passed)
      :
      : "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a3", "a4", "a5", "a6", "a7", "s1", "s2",
        "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "memory"
#ifdef __riscv_flen
        ,
        "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "ft8", "ft9", "ft10", "ft11", "fa0",
        "fa1", "fa2", "fa3", "fa4", "fa5", "fa6", "fa7", "fs0", "fs1", "fs2", "fs3", "fs4", "fs5",
        "fs6", "fs7", "fs8", "fs9", "fs10", "fs11"
#endif
#ifdef __riscv_v
        ,
        "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
        "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26",
        "v27", "v28", "v29", "v30", "v31"
#endif
#if defined(__riscv_v) && !defined(__clang__)  // Clang forgets both at any assembly
        ,
        "vl", "vtype"
#endif
  );
  return passed;
}

}  // namespace st
