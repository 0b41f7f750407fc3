// Internal: include only inside st/src. What AddressSanitizer must be told; nothing at all in other
// builds.
#pragma once

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define ST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ST_ASAN 1
#endif
#endif

#ifdef ST_ASAN
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace st {

// Forgets what frames of an earlier thread left marked on this stack.
inline void sanitizer_unpoison([[maybe_unused]] const void* low, [[maybe_unused]] size_t size) {
#ifdef ST_ASAN
  __asan_unpoison_memory_region(low, size);
#endif
}

// Just before the switch: the stack about to be used, and where to keep the record of the one being
// left (null: it is left for good).
inline void sanitizer_leave([[maybe_unused]] void** record, [[maybe_unused]] const void* low,
                            [[maybe_unused]] size_t size) {
#ifdef ST_ASAN
  __sanitizer_start_switch_fiber(record, low, size);
#endif
}

// Just after it, on the new stack: the record that was kept for it (null: it is new).
inline void sanitizer_arrive([[maybe_unused]] void* record) {
#ifdef ST_ASAN
  __sanitizer_finish_switch_fiber(record, nullptr, nullptr);
#endif
}

// Where the stack is that the kernel gave to the calling thread.
inline void sanitizer_stack_of_kernel([[maybe_unused]] char** low, [[maybe_unused]] size_t* size) {
#ifdef ST_ASAN
  pthread_attr_t attributes;
  void* start = nullptr;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  pthread_attr_getstack(&attributes, &start, size);
  pthread_attr_destroy(&attributes);
  *low = static_cast<char*>(start);
#endif
}

}  // namespace st
