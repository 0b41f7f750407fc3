// Calls that do not wait, on one stack for all threads: it is deep, and it is always in the cache.
// A state thread that only calls shallow functions on its own stack costs a page, however deep its
// work goes.
#include "sanitizer.h"
#include "scheduler.h"

#if defined(ST_CONTEXT_HAS_CALL) && !defined(ST_ASAN) && !defined(ST_TSAN)

namespace {

using st::scheduler;

// What printf, a resolver or a TLS library need, several times over; address space until it is
// used.
constexpr size_t kLeafStackSize = 256 * 1024;

// The first call of a kernel thread, and calls from within one. Without memory for the stack the
// call is made where the caller is.
[[gnu::noinline]] void call_rare(void (*function)(void*), void* argument) {
  st::Stack& stack = scheduler.leaf_stack;
  if (stack.size == 0)
    if (const st::Thread* place = scheduler.leaf_stacks.take(kLeafStackSize)) stack = place->stack;
  if (stack.size == 0 || stack.contains(st::context_stack_pointer())) return function(argument);
  st_leaf_call(function, argument);
}

}  // namespace

void st_leaf_call(void (*function)(void* arg), void* arg) {
  const st::Stack& stack = scheduler.leaf_stack;
  if (stack.size == 0 || stack.contains(st::context_stack_pointer())) [[unlikely]]
    return call_rare(function, arg);
  scheduler.forbid_switches();
  st_context_call(function, arg, stack.low + stack.size);
  scheduler.allow_switches();
}

#else

// Sanitizers keep account of each stack, and not every CPU has the assembly: the call is made where
// the caller is.
void st_leaf_call(void (*function)(void* arg), void* arg) { function(arg); }

#endif
