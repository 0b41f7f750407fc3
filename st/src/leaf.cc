// Calls that do not wait, on one stack for all threads: it is deep, and it is always in the cache.
// A state thread that only calls shallow functions on its own stack costs a page, however deep its
// work goes.
#include "leaf.h"

#include <sys/mman.h>
#include <unistd.h>

#include "sanitizer.h"
#include "scheduler.h"

namespace st {
namespace {

#if defined(ST_CONTEXT_HAS_CALL) && !defined(ST_ASAN) && !defined(ST_TSAN)
// What printf, a resolver or a TLS library need, several times over; address space until it is
// used.
constexpr size_t kLeafStackSize = 256 * 1024;

// False if there is no memory for it; the call is then made where the caller is.
bool make(LeafStack* stack) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* memory = mmap(nullptr, page + kLeafStackSize, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return false;
  mprotect(memory, page, PROT_NONE);
  stack->low = static_cast<char*>(memory) + page;
  stack->size = kLeafStackSize - kStackNote;
  sanitizer_new_stack(stack->low, kLeafStackSize);
  return true;
}

// The first call of a kernel thread, and calls from within one.
[[gnu::noinline]] void call_rare(void (*function)(void*), void* argument) {
  LeafStack& stack = scheduler.leaf_stack;
  if (stack.contains(context_stack_pointer()) || (stack.size == 0 && !make(&stack)))
    return function(argument);
  scheduler.forbid_switches();
  st_context_call(function, argument, stack.low + stack.size);
  scheduler.allow_switches();
}

void unmake(LeafStack* stack) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  sanitizer_old_stack(stack->low, kLeafStackSize);
  munmap(stack->low - page, page + kLeafStackSize);
}

inline void call(void (*function)(void*), void* argument) {
  LeafStack& stack = scheduler.leaf_stack;
  if (stack.size == 0 || stack.contains(context_stack_pointer())) [[unlikely]]
    return call_rare(function, argument);
  scheduler.forbid_switches();
  st_context_call(function, argument, stack.low + stack.size);
  scheduler.allow_switches();
}
#else
// Sanitizers keep account of each stack, and not every CPU has the assembly: the call is made where
// the caller is.
void call(void (*function)(void*), void* argument) { function(argument); }
void unmake(LeafStack*) {}
#endif

}  // namespace

void LeafStack::end() {
  if (size > 0) unmake(this);
  size = 0;
}

}  // namespace st

void st_leaf_call(void (*function)(void* arg), void* arg) { st::call(function, arg); }
