// Internal: include only inside st/src. The switch for x86-64 (System V ABI).
//
//   Context        offset
//     sp              0     stack pointer at the moment of leaving: what lies there is the address
//                           to go on at
//     rbx             8     rbx to r15: what a function must keep
//     rbp            16
//     r12 to r15     24
//
// It jumps there. A switch that ends in `ret` leaves the CPU's stack of return addresses wrong:
// 6-10 ns for each, measured on the EPYC that this was written on. And it is a function, not code
// inside the one that waits: a call whose last act it is has no frame of its own, and the jump
// leads right to where that call was made from. One indirect jump for each switch is what the CPU
// has to predict; with the switch inside the call it is two.
//
// The registers are here and not on the stack because a thread goes on with what it finds in them,
// which so waits for one load and not for the stack pointer first.
#pragma once

#include <stddef.h>
#include <stdint.h>

// For functions that nearly always return on another thread's behalf than they were called on. The
// CPU predicts `ret` from its own stack of return addresses, which then holds the other thread's: 7
// ns lost. A function marked with this returns with an indirect jump (x86_64.S) instead, which the
// CPU predicts from where it came by. Clang 14 does not know how.
#if defined(__GNUC__) && !defined(__clang__) && !defined(__CET__)
#define ST_RETURNS_BY_JUMP [[gnu::function_return("thunk-extern")]]
#endif

#define ST_CONTEXT_HAS_CALL 1
#define ST_CONTEXT_HAS_TICKS 1
#define ST_CONTEXT_HAS_PREFETCH 1
#define ST_CONTEXT_HAS_STACK_POINTER 1

namespace st {

struct Context {
  void* sp;
  void* rbx;
  void* rbp;
  void* r12;
  void* r13;
  void* r14;
  void* r15;
};
static_assert(offsetof(Context, sp) == 0 && offsetof(Context, rbx) == 8 &&
              offsetof(Context, rbp) == 16 && offsetof(Context, r12) == 24 &&
              offsetof(Context, r15) == 48);

// x86_64.S
extern "C" [[gnu::visibility("hidden")]] void st_context_entry();
extern "C" void st_thread_main();  // context.h
extern "C" [[gnu::visibility("hidden")]] int st_context_switch(Context* from, const Context* to,
                                                               int value);

inline void context_prepare(Context* context, void* stack_top) {
  // As if st_context_entry() had called it: the stack is aligned to 16 bytes before a call.
  auto** top = reinterpret_cast<void**>(reinterpret_cast<uintptr_t>(stack_top) & ~uintptr_t{15});
  *--top = reinterpret_cast<char*>(&st_context_entry) + 1;
  *--top = reinterpret_cast<void*>(&st_thread_main);
  context->sp = top;
  context->rbp = nullptr;  // ends the chain of frame pointers
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

inline int context_switch(Context* from, const Context* to, int value) {
  return st_context_switch(from, to, value);
}

}  // namespace st
