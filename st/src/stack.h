// Internal: include only inside st/src. Where threads live: stacks, and the control blocks at their
// tops.
//
//   low                                                                               high
//   | guard page | stack, growing down ...                    | control block | colour |
//
// Stacks of one size are cut from large slabs. A freed one is the next one given out, because it is
// still in the cache. The guard page is part of the slab: with MADV_GUARD_INSTALL (Linux 6.13) it
// costs no mapping of its own, so that a million guarded stacks need far fewer mappings than the
// kernel allows; before that it is an mprotect()ed page, up to a budget.
//
// Two things keep the control blocks of thousands of threads from fighting for the same cache sets:
// the guard page is added to the stack instead of taken from it, so that stacks are not a power of
// two apart, and `colour` moves neighbours' blocks by one cache line more each.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <utility>

#include "st.h"

struct _st_thread;

namespace st {

struct StackPool;

// What a control block knows about the memory it lives in.
struct Stack {
  StackPool* pool = nullptr;  // null: the primordial thread, on the kernel's stack
  char* low = nullptr;        // lowest usable byte
  size_t size = 0;            // usable bytes: from `low` to the control block

  bool contains(const void* address) const {
    return reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(low) < size;
  }
};

// Stacks of all sizes that one scheduler has. A scheduler's own: no locks.
class StackAllocator {
 public:
  // A control block on a stack of at least `size` bytes (0: the default), or null with errno. Its
  // `stack` field is set, the rest is zero when the stack is new and as left behind when it is used
  // again.
  _st_thread* take(size_t size);

  // Gives it back. The caller may still be standing on it, until its next switch.
  void give(_st_thread* thread);

  // Later stacks begin at a random offset, or no longer. Returns the setting before.
  bool randomize(bool on) { return std::exchange(randomize_, on); }

  // How many free stacks of each size keep their memory. Returns the number before.
  size_t keep(size_t count) { return std::exchange(keep_, count); }

  void count(st_stats_t* stats) const;

  // Gives all memory back, also that of threads that have not ended. Not to be called on any of it.
  void end();

 private:
  StackPool* pool_for(size_t size);
  char* cut(StackPool* pool);
  _st_thread* place(StackPool* pool, char* base) const;

  StackPool* pools_ = nullptr;
  // 4 MiB of single pages: what a busy server starts and ends within a few milliseconds.
  size_t keep_ = 1024;
  bool randomize_ = false;
};

}  // namespace st
