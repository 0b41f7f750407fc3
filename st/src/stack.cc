#include "stack.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>

#include "errors.h"
#include "sanitizer.h"
#include "scheduler.h"
#include "thread.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102  // Linux 6.13; Debian 12's headers are older than that
#endif

namespace st {

// A mapping that stacks are cut from, so that a debugger can find every thread there is. Nothing
// else looks at it.
struct Slab {
  Slab* next;  // the one before
  char* low;
  size_t count;  // how many stacks it has room for
};

// All stacks of one size.
struct StackPool {
  StackPool* next;   // pools of other sizes
  size_t size;       // usable bytes of each stack, below control block and colour
  size_t cut_count;  // ever cut
  size_t guarded;    // of those, how many have a guard page
  Slab* slabs;       // the newest first
  char* uncut;       // rest of the newest slab
  size_t uncut_count;
  Thread* free;  // with their memory, linked by `next`, the latest first
  size_t free_count;
  char** trimmed;  // free without their memory: where each begins; has room for all
  size_t trimmed_count;
};

namespace {

// A slab is large enough that mappings are few, small enough that a program with three threads does
// not look huge.
constexpr size_t kSlabBytes = size_t{4} << 20;
// One cache line for each step; with all steps the top page still holds a control block and the
// frames of a waiting call.
constexpr size_t kColours = 16;
constexpr size_t kLine = 64;
// Before MADV_GUARD_INSTALL each guard splits a mapping in two, and a process may have 65,530 of
// them by default.
constexpr int kMprotectedGuards = 16 * 1024;

size_t page_size() { return static_cast<size_t>(getpagesize()); }

// Makes a page inaccessible, if that can be had: the guard is a help in finding errors, not a
// promise.
[[gnu::cold]] bool guard(char* page) {
  static std::atomic<bool> cheap{true};
  static std::atomic<int> mprotected{0};
  if (cheap.load(std::memory_order_relaxed)) {
    if (madvise(page, page_size(), MADV_GUARD_INSTALL) == 0) return true;
    cheap.store(false, std::memory_order_relaxed);
  }
  if (mprotected.load(std::memory_order_relaxed) >= kMprotectedGuards) return false;
  mprotected.fetch_add(1, std::memory_order_relaxed);
  return mprotect(page, page_size(), PROT_NONE) == 0;
}

// Gives the memory of a free stack back.
[[gnu::cold]] void trim(StackPool* pool, Thread* thread) {
  char* low = thread->stack.low;
  sanitizer_end(thread);
  sanitizer_old_stack(low, pool->size);
  sanitizer_unpoison(low, pool->size);
  madvise(low, pool->size, MADV_DONTNEED);
  pool->trimmed[pool->trimmed_count++] = low - page_size();
}

// A slab for stacks that are `stride` bytes apart; false with errno.
[[gnu::cold]] bool add_slab(StackPool* pool, size_t stride) {
  const size_t count = stride < kSlabBytes ? kSlabBytes / stride : 1;
  // Each of its stacks may be trimmed one day, and then nothing is to fail.
  void* trimmed = realloc(pool->trimmed, (pool->cut_count + count) * sizeof(char*));
  if (!trimmed) return false;
  pool->trimmed = static_cast<char**>(trimmed);
  auto* slab = static_cast<Slab*>(malloc(sizeof(Slab)));
  if (!slab) return false;
  // No huge pages: a thread that waits should cost the one page that it uses, not two megabytes.
  void* memory = mmap(nullptr, stride * count, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) {
    const ErrnoKept kept;
    free(slab);
    return false;
  }
  madvise(memory, stride * count, MADV_NOHUGEPAGE);
  *slab = {pool->slabs, static_cast<char*>(memory), count};
  pool->slabs = slab;
  pool->uncut = slab->low;
  pool->uncut_count = count;
  return true;
}

}  // namespace

[[gnu::cold]] StackPool* StackAllocator::pool_for(size_t size) {
  for (StackPool* pool = pools_; pool; pool = pool->next)
    if (pool->size == size) return pool;
  auto* pool = static_cast<StackPool*>(calloc(1, sizeof(StackPool)));
  if (!pool) return nullptr;
  pool->size = size;
  pool->next = pools_;
  pools_ = pool;
  return pool;
}

// A stack that was never used, its guard in place; null with errno.
[[gnu::cold]] char* StackAllocator::cut(StackPool* pool) {
  const size_t stride = page_size() + pool->size;
  if (pool->uncut_count == 0 && !add_slab(pool, stride)) return nullptr;
  char* base = pool->uncut;
  pool->uncut += stride;
  --pool->uncut_count;
  ++pool->cut_count;
  if (guard(base)) ++pool->guarded;
  return base;
}

// Puts a control block on the stack that begins (with its guard page) at `base`.
[[gnu::cold]] _st_thread* StackAllocator::place(StackPool* pool, char* base) const {
  const size_t page = page_size();
  const size_t stride = page + pool->size;
  // A random colour may use up to half of a page; a stack of one page must still have room to run
  // in.
  const size_t colours = randomize_ ? page / 2 / kLine : kColours;
  const size_t step =
      (randomize_ ? static_cast<size_t>(random()) : reinterpret_cast<uintptr_t>(base) / stride) %
      colours;
  Thread* thread = reinterpret_cast<Thread*>(base + stride - (step + 1) * kLine) - 1;
  char* low = base + page;
  sanitizer_new_stack(low, pool->size);
  thread->home = scheduler.number();
  thread->timer = {};
  thread->stack = {pool, low, static_cast<size_t>(reinterpret_cast<char*>(thread) - low)};
  return thread;
}

_st_thread* StackAllocator::take(size_t size) {
  size = size == 0 ? kDefaultStackSize : (size + page_size() - 1) & ~(page_size() - 1);
  // The pool of the default size is almost always the first and only one.
  StackPool* pool = pools_ && pools_->size == size ? pools_ : pool_for(size);
  if (!pool) return nullptr;
  if (Thread* thread = pool->free) {
    pool->free = thread->next;
    --pool->free_count;
    sanitizer_unpoison(thread->stack.low, pool->size);
    return thread;
  }
  char* base = pool->trimmed_count > 0 ? pool->trimmed[--pool->trimmed_count] : cut(pool);
  return base ? place(pool, base) : nullptr;
}

void StackAllocator::give(_st_thread* thread) {
  StackPool* pool = thread->stack.pool;
  // The one freed before goes, and not the one that the caller may be standing on. It is as good as
  // any: when the limit is reached, threads are ending faster than they are started.
  if (pool->free_count >= keep_ && pool->free) {
    Thread* before = pool->free;
    pool->free = before->next;
    --pool->free_count;
    trim(pool, before);
  }
  thread->next = pool->free;
  pool->free = thread;
  ++pool->free_count;
}

[[gnu::cold]] void StackAllocator::count(st_stats_t* stats) const {
  for (const StackPool* pool = pools_; pool; pool = pool->next) {
    stats->stacks += pool->cut_count;
    stats->stacks_free += pool->free_count + pool->trimmed_count;
    stats->stacks_trimmed += pool->trimmed_count;
    stats->stacks_guarded += pool->guarded;
  }
}

[[gnu::cold]] void StackAllocator::end() {
  while (StackPool* pool = pools_) {
    pools_ = pool->next;
    for (Thread* thread = pool->free; thread; thread = thread->next) {
      sanitizer_end(thread);
      sanitizer_old_stack(thread->stack.low, pool->size);
    }
    while (Slab* slab = pool->slabs) {
      pool->slabs = slab->next;
      const size_t bytes = (page_size() + pool->size) * slab->count;
      sanitizer_unpoison(slab->low, bytes);
      munmap(slab->low, bytes);
      free(slab);
    }
    free(pool->trimmed);
    free(pool);
  }
}

}  // namespace st
