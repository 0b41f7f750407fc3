// Internal: include only inside st/src. The switch for x86-64 (System V ABI).
//
//   Context        offset
//     sp              0     stack pointer at the moment of leaving
//     fp              8     rbp: the compiler may need it and does not let assembly declare it
//     overwritten pc             16     where to go on
//
// The other registers that a function must keep (rbx, r12-r15) are declared overwritten instead of
// stored: the compiler saves those that the surrounding function holds something in, on the stack
// that is being left.
//
// The switch jumps. One that ends in `ret` leaves the CPU's stack of return addresses wrong: 6-10
// ns for each switch instead of 1.3-1.8 ns inlined, measured on the EPYC that this was written on.
#pragma once

#include <stddef.h>
#include <stdint.h>

// For functions that nearly always return on another thread's behalf than they were called on. The
// CPU predicts `ret` from its own stack of return addresses, which then holds the other thread's: 7
// ns lost. A function marked with this returns with an indirect jump (x86_64.S) instead, which the
// CPU predicts from where it came by. Clang 14 does not know how.
#if defined(__GNUC__) && !defined(__clang__) && !defined(__CET__)
#define ST_RETURNS_BY_JUMP [[gnu::function_return("thunk-extern")]]
#else
#define ST_RETURNS_BY_JUMP
#endif

#define ST_CONTEXT_HAS_CALL 1
#define ST_CONTEXT_HAS_TICKS 1
#define ST_CONTEXT_HAS_PREFETCH 1
#define ST_CONTEXT_HAS_STACK_POINTER 1

namespace st {

struct Context {
  void* sp;
  void* fp;
  void* pc;
};
static_assert(offsetof(Context, sp) == 0 && offsetof(Context, fp) == 8 &&
              offsetof(Context, pc) == 16);

extern "C" void st_context_entry();  // x86_64.S

inline void context_prepare(Context* context, void* stack_top) {
  // The entry makes a call, so it wants the stack as before a call: aligned to 16 bytes.
  context->sp = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(stack_top) & ~uintptr_t{15});
  context->fp = nullptr;
  context->pc = reinterpret_cast<void*>(&st_context_entry);
}

// Where on its stack the caller is, more or less. By hand: __builtin_frame_address() makes the
// compiler keep a frame pointer, and every value of the function around the switch in memory.
inline const void* context_stack_pointer() {
  const void* sp;
  asm("movq %%rsp, %0" : "=r"(sp));
  return sp;
}

// With thousands of threads the frames of the next one are not in the cache. Asking for them
// together costs one wait; the thread would ask for one after the other. The line below is for the
// frames of what it calls next.
inline void context_prefetch(const Context& context) {
  // Not __builtin_prefetch(): GCC takes a function of nothing else for one without effect, and
  // leaves its calls out.
  asm volatile(
      "prefetcht0 -64(%0)\n\t"
      "prefetcht0 0(%0)\n\t"
      "prefetcht0 64(%0)\n\t"
      "prefetcht0 128(%0)\n\t"
      "prefetcht0 192(%0)\n\t"
      "prefetcht0 256(%0)"
      :
      : "r"(context.sp));
}

// The CPU's own count of time, at least 10^9 in a second: cheaper than the clock by a call and what
// that touches.
inline uint64_t context_ticks() { return __builtin_ia32_rdtsc(); }

[[gnu::always_inline]] inline void context_switch(Context* from, const Context* to) {
  asm volatile(
      "leaq   1f(%%rip), %%rax\n\t"
      "movq   %%rsp, 0(%[from])\n\t"
      "movq   %%rbp, 8(%[from])\n\t"
      "movq   %%rax, 16(%[from])\n\t"
      "movq   0(%[to]), %%rsp\n\t"
      "movq   8(%[to]), %%rbp\n\t"
      "jmpq   *16(%[to])\n"
      "1:\tendbr64"
      : [from] "+D"(from), [to] "+S"(to)
      :
      : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory",
        "cc", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "xmm0", "xmm1",
        "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
        "xmm13", "xmm14", "xmm15"
#ifdef __AVX512F__
        ,
        "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",
        "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5",
        "k6", "k7"
#endif
  );
}

}  // namespace st
