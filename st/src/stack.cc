#include "stack.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sanitizer.h"
#include "thread.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102  // Linux 6.13; Debian 12's headers are older than that
#endif

namespace st {
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
constexpr size_t kMprotectedGuards = 16 * 1024;

size_t page_size() {
  static const size_t size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

// Makes a page inaccessible; the guard is a help for debugging, so a kernel that cannot is not an
// error.
void guard(char* page) {
  static bool cheap = true;
  static size_t mprotected = 0;
  if (cheap && madvise(page, page_size(), MADV_GUARD_INSTALL) == 0) return;
  cheap = false;
  if (mprotected < kMprotectedGuards && mprotect(page, page_size(), PROT_NONE) == 0) ++mprotected;
}

}  // namespace

struct StackPool {
  StackPool* next;  // pools of other sizes
  size_t size;      // usable bytes of each stack
  Thread* free;     // linked by `next`
  char* uncut;      // rest of the newest slab
  size_t uncut_count;
  size_t cut_count;  // all stacks ever cut; gives the colour
};

StackPool* StackAllocator::pool_for(size_t size) {
  for (StackPool* pool = pools_; pool; pool = pool->next)
    if (pool->size == size) return pool;
  auto* pool = static_cast<StackPool*>(calloc(1, sizeof(StackPool)));
  if (!pool) return nullptr;
  pool->size = size;
  pool->next = pools_;
  pools_ = pool;
  return pool;
}

_st_thread* StackAllocator::take(size_t size) {
  const size_t page = page_size();
  size = size == 0 ? kDefaultStackSize : (size + page - 1) / page * page;
  // The pool of the default size is almost always the first and only one.
  StackPool* pool = pools_ && pools_->size == size ? pools_ : pool_for(size);
  if (!pool) return nullptr;

  if (Thread* thread = pool->free) {
    pool->free = thread->next;
    sanitizer_unpoison(thread->stack.low, pool->size);
    return thread;
  }

  const size_t stride = page + size;
  if (pool->uncut_count == 0) {
    const size_t count = stride < kSlabBytes ? kSlabBytes / stride : 1;
    // No huge pages: a thread that waits should cost the one page that it uses, not two megabytes.
    void* slab = mmap(nullptr, stride * count, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (slab == MAP_FAILED) return nullptr;
    madvise(slab, stride * count, MADV_NOHUGEPAGE);
    pool->uncut = static_cast<char*>(slab);
    pool->uncut_count = count;
  }
  char* base = pool->uncut;
  pool->uncut += stride;
  --pool->uncut_count;
  guard(base);

  // A random colour may use up to half of the page; a stack of one page must still have room to run
  // in.
  const size_t step =
      randomize_ ? static_cast<size_t>(random()) % (page / 2 / kLine) : pool->cut_count % kColours;
  ++pool->cut_count;
  auto* thread = reinterpret_cast<Thread*>(base + stride - (step + 1) * kLine) - 1;
  thread->stack = {pool, base + page,
                   static_cast<size_t>(reinterpret_cast<char*>(thread) - (base + page))};
  return thread;
}

void StackAllocator::give(_st_thread* thread) {
  StackPool* pool = thread->stack.pool;
  thread->next = pool->free;
  pool->free = thread;
}

bool StackAllocator::randomize(bool on) {
  const bool before = randomize_;
  randomize_ = on;
  return before;
}

}  // namespace st
