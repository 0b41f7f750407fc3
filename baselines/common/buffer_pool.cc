#include "baselines/common/buffer_pool.h"

#include <cstdlib>

namespace baselines {
namespace {

// A free block's own memory holds the link to the next one.
struct FreeBlock {
  FreeBlock* next;
};

// Blocks that one thread keeps for the next borrower; more go back to malloc. A thread that drives
// one connection never has more than three in use; an event loop's bursts are worth 1 MiB.
constexpr std::size_t kMaxFree = 64;

// No constructor at run time, so that reaching the list costs a thread-local address and no more.
thread_local constinit FreeBlock* free_blocks = nullptr;
thread_local constinit BufferPool::Statistics counts{};

// Frees the list when its thread ends. Made with the first block that is given back.
struct Cleaner {
  Cleaner() = default;
  Cleaner(const Cleaner&) = delete;
  Cleaner& operator=(const Cleaner&) = delete;
  ~Cleaner() {
    while (free_blocks != nullptr) {
      FreeBlock* block = free_blocks;
      free_blocks = block->next;
      std::free(block);
    }
    counts.free = kMaxFree;  // whatever is given back from now on goes straight to malloc
  }
  void touch() const {}
};

}  // namespace

void* BufferPool::take() {
  void* block = free_blocks;
  if (block != nullptr) {
    free_blocks = free_blocks->next;
    --counts.free;
  } else {
    block = std::malloc(kBlockBytes);
    if (block == nullptr) throw std::bad_alloc();
  }
  ++counts.borrowed;
  return block;
}

void BufferPool::give(void* block) noexcept {
  --counts.borrowed;
  if (counts.free == kMaxFree) {
    std::free(block);
    return;
  }
  thread_local const Cleaner cleaner;
  cleaner.touch();
  ++counts.free;
  free_blocks = new (block) FreeBlock{free_blocks};
}

BufferPool::Statistics BufferPool::statistics() noexcept { return counts; }

}  // namespace baselines
