// Says which thread has run over the end of its stack, instead of leaving a bare "segmentation
// fault".
#include "overflow.h"

#include <signal.h>
#include <sys/mman.h>

#include "check.h"
#include "sanitizer.h"
#include "scheduler.h"

namespace st {
namespace {

constexpr size_t kHandlerStack = 16 * 1024;  // above MINSIGSTKSZ with AVX-512 state
// A frame larger than a page may jump over the guard's first bytes.
constexpr uintptr_t kNear = 64 * 1024;

// Decimal digits of `value`, ending at `end`; only what is safe in a signal handler.
[[maybe_unused]] char* digits(size_t value, char* end) {
  do {
    *--end = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value);
  return end;
}

// Sanitizers have a report of their own.
[[maybe_unused]] void on_fault(int signal, siginfo_t* info, void*) {
  ::signal(signal, SIG_DFL);
  if (info->si_code <= 0) {  // somebody sent it: no instruction has failed that would fail again
    raise(signal);           // arrives when we return
    return;
  }
  const Thread* thread = scheduler.current();
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  const auto low = thread ? reinterpret_cast<uintptr_t>(thread->stack.low) : 0;
  if (thread && thread->stack.pool && address < low && address >= low - kNear) {
    char size[24] = {};
    say({"st: stack overflow in state thread \"", thread->name, "\": it has ",
         digits(thread->stack.size, &size[23]),
         " bytes; give st_thread_create() a larger stack_size\n"});
  }
  // The instruction is tried again and this time ends the process as it would have without us.
}

// What on_fault() runs on; null: the program's own, or none is needed.
[[maybe_unused]] thread_local void* handler_stack = nullptr;

}  // namespace

void watch_for_overflow() {
#if !defined(ST_ASAN) && !defined(ST_TSAN)
  struct sigaction now;
  if (sigaction(SIGSEGV, nullptr, &now) != 0 || now.sa_handler != SIG_DFL)
    return;  // the program has its own
  stack_t stack;
  if (sigaltstack(nullptr, &stack) != 0) return;
  if (stack.ss_flags & SS_DISABLE) {
    void* memory =
        mmap(nullptr, kHandlerStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    stack = {};
    stack.ss_sp = memory;
    stack.ss_size = kHandlerStack;
    handler_stack = memory;
    if (sigaltstack(&stack, nullptr) != 0) return;
  }
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &action, nullptr);
#endif
}

void watch_for_overflow_no_more() {
  if (!handler_stack) return;
  stack_t stack;
  if (sigaltstack(nullptr, &stack) == 0 && stack.ss_sp == handler_stack) {
    stack = {};
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, nullptr);
  }
  munmap(handler_stack, kHandlerStack);
  handler_stack = nullptr;
}

}  // namespace st
