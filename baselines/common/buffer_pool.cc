#include "baselines/common/buffer_pool.h"

#include <pthread.h>

#include <new>

namespace baselines {
namespace {

// A free block's own memory holds the link to the next one.
struct FreeBlock {
  FreeBlock* next;
};

// Blocks that one thread keeps for the next borrower; more go back to the heap. A thread that
// drives one connection never has more than three in use; an event loop's bursts are worth 1 MiB.
constexpr std::size_t kMaxFree = 64;

// No constructor at run time, so that reaching the list costs a thread-local address and no more.
thread_local constinit FreeBlock* free_blocks = nullptr;
thread_local constinit BufferPool::Statistics counts{};

thread_local constinit bool will_be_freed = false;

void free_all(void*) {
  while (free_blocks != nullptr) {
    FreeBlock* block = free_blocks;
    free_blocks = block->next;
    ::operator delete(block);
  }
  counts.free = kMaxFree;  // whatever is given back from now on goes straight to the heap
}

// Frees the list when its thread ends. A thread_local object with a destructor could do so, too,
// but has to be registered, for which glibc needs memory - and aborts when there is none.
const pthread_key_t at_thread_end = [] {
  pthread_key_t key{};
  pthread_key_create(&key, free_all);
  return key;
}();

}  // namespace

void* BufferPool::take() {
  void* block = free_blocks;
  if (block != nullptr) {
    free_blocks = free_blocks->next;
    --counts.free;
  } else {
    block = ::operator new(kBlockBytes);  // not malloc(): a shortage is announced (limits.h)
  }
  ++counts.borrowed;
  return block;
}

void BufferPool::give(void* block) noexcept {
  --counts.borrowed;
  if (counts.free == kMaxFree) {
    ::operator delete(block);
    return;
  }
  if (!will_be_freed) will_be_freed = pthread_setspecific(at_thread_end, &counts) == 0;
  ++counts.free;
  free_blocks = new (block) FreeBlock{free_blocks};
}

BufferPool::Statistics BufferPool::statistics() noexcept { return counts; }

}  // namespace baselines
