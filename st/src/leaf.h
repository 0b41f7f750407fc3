// Internal: include only inside st/src. The stack that leaf calls share.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace st {

// One for each kernel thread, made by the first call.
struct LeafStack {
  char* low = nullptr;
  size_t size = 0;  // 0: there is none

  bool contains(const void* address) const {
    return reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(low) < size;
  }

  void end();  // gives it back
};

}  // namespace st
