// Internal: include only inside st/src. Leaving one stack and going on upon another.
//
// The whole contract for a CPU is two operations on a Context:
//   context_prepare(context, stack_top)  the first switch to it enters st_thread_main() on an
//                                        empty stack
//   context_switch(from, to, value)      stores where the caller is in `from`, goes on where `to`
//                                        was left: that context_switch() returns `value`
//
// Each CPU is a header with the switch and an assembly file with the entry of a new thread. A new
// CPU adds these two files and a line below.
//
// Not saved: the signal mask (saving it costs one or two system calls for each switch, and it
// belongs to the process here; ucontext alone keeps it), and the floating-point control words (a
// thread that changes the rounding mode changes it for all, as in State Threads 1.9). Everything
// else that the calling convention lets a function keep is kept.
#pragma once

#if defined(ST_CONTEXT_UCONTEXT)
#include "context/ucontext.h"  // IWYU pragma: export
#elif defined(__x86_64__) && !defined(__ILP32__)
#include "context/x86_64.h"  // IWYU pragma: export
#elif defined(__aarch64__) && defined(__LP64__)
#include "context/aarch64.h"  // IWYU pragma: export
#elif defined(__riscv) && __riscv_xlen == 64
#include "context/riscv64.h"  // IWYU pragma: export
#else
#error \
    "no context switch for this CPU: add one (st/src/context/context.h) or take -DST_CONTEXT=ucontext"
#endif

// For functions that nearly always return on another thread's behalf than they were called on. They
// gain from returning by a jump, which no compiler can be told for other CPUs; and in ucontext it
// is swapcontext() that returns on the wrong stack.
#ifndef ST_RETURNS_BY_JUMP
#define ST_RETURNS_BY_JUMP
#endif

// Where a new thread begins; never returns. Has C linkage because assembly calls it.
extern "C" void st_thread_main();

#ifdef ST_CONTEXT_HAS_CALL
// Calls function(argument) on another stack, whose top is aligned to 16 bytes, and comes back. A
// CPU may do without.
extern "C" void st_context_call(void (*function)(void*), void* argument, void* stack_top);
#endif

#ifndef ST_CONTEXT_HAS_PREFETCH
namespace st {
inline void context_prefetch(const Context&) {}
}  // namespace st
#endif

#ifndef ST_CONTEXT_HAS_STACK_POINTER
namespace st {
// Where on its stack the caller is, more or less.
inline const void* context_stack_pointer() { return __builtin_frame_address(0); }
}  // namespace st
#endif
