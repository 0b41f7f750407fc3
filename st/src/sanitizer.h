// Internal: include only inside st/src. What tools that watch memory and threads must be told;
// nothing in other builds.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "thread.h"

#ifndef __has_feature
#define __has_feature(feature) 0  // clang's way to say it
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define ST_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define ST_TSAN 1
#include <sanitizer/tsan_interface.h>
#endif
// A few instructions that do nothing outside Valgrind, so they are always there when the header is.
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define ST_VALGRIND 1
#endif

namespace st {

// A stack that will be used from now on, at whose top there is room for a note; and one whose
// memory goes back.
inline void sanitizer_new_stack([[maybe_unused]] char* low, [[maybe_unused]] size_t size) {
#ifdef ST_VALGRIND
  if (!RUNNING_ON_VALGRIND) return;  // memory that was never touched should stay so
  reinterpret_cast<uintptr_t*>(low + size)[-1] = VALGRIND_STACK_REGISTER(low, low + size);
#endif
}
inline void sanitizer_old_stack([[maybe_unused]] char* low, [[maybe_unused]] size_t size) {
#ifdef ST_VALGRIND
  if (!RUNNING_ON_VALGRIND) return;
  VALGRIND_STACK_DEREGISTER(reinterpret_cast<uintptr_t*>(low + size)[-1]);
#endif
}

// Forgets what frames of an earlier thread left marked on this stack.
inline void sanitizer_unpoison([[maybe_unused]] const void* low, [[maybe_unused]] size_t size) {
#ifdef ST_ASAN
  __asan_unpoison_memory_region(low, size);
#endif
}

// The memory of a thread that has ended goes back.
inline void sanitizer_end([[maybe_unused]] Thread* thread) {
#ifdef ST_TSAN
  // The primordial one's is the kernel thread's own.
  if (thread->sanitizer && thread->stack.pool) __tsan_destroy_fiber(thread->sanitizer);
  thread->sanitizer = nullptr;
#endif
}

// A thread begins: one that has just been created, or (on the kernel's stack) the primordial one.
inline void sanitizer_begin(Thread* thread) {
  sanitizer_end(thread);  // of the thread that was here before
  thread->sanitizer = nullptr;
#ifdef ST_TSAN
  thread->sanitizer = thread->stack.pool ? __tsan_create_fiber(0) : __tsan_get_current_fiber();
#endif
}

#ifdef ST_ASAN
inline thread_local constinit Thread* left_thread = nullptr;  // the last that was left
#endif

// Just before the switch from one thread to another.
inline void sanitizer_leave([[maybe_unused]] Thread* from, [[maybe_unused]] Thread* to) {
#ifdef ST_ASAN
  left_thread = from;
  __sanitizer_start_switch_fiber(from->state == State::gone ? nullptr : &from->sanitizer,
                                 to->stack.low, to->stack.size);
#endif
#ifdef ST_TSAN
  __tsan_switch_to_fiber(to->sanitizer, 0);
#endif
}

// Just after it, on the stack of the thread that goes on.
inline void sanitizer_arrive([[maybe_unused]] Thread* thread) {
#ifdef ST_ASAN
  // It says what stack was left: of the primordial thread only it knows.
  const void* low = nullptr;
  __sanitizer_finish_switch_fiber(thread->sanitizer, &low, &left_thread->stack.size);
  left_thread->stack.low = static_cast<char*>(const_cast<void*>(low));
#endif
}

}  // namespace st
