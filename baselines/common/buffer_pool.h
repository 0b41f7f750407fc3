// Blocks of one size that connections borrow while they have something to keep.
//
// Each kernel thread has its own pool, a short list of free blocks, so borrowing takes no lock and
// a few nanoseconds. A block may be given back by another thread than the one that borrowed it: it
// then belongs to that thread's list. What lives in a block between borrow() and giving back is an
// object of the borrower's choice.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

namespace baselines {

// 16 KiB of payload - the longest head allowed - and a line for the bookkeeping before it.
inline constexpr std::size_t kBlockBytes = 16384 + 64;

class BufferPool {
 public:
  struct Statistics {
    std::ptrdiff_t borrowed;  // taken by this thread minus given back by it
    std::size_t free;         // blocks in this thread's list
  };

  static void* take();  // throws std::bad_alloc
  static void give(void* block) noexcept;
  static Statistics statistics() noexcept;  // of the calling thread
};

template <class T>
struct GiveBack {
  void operator()(T* object) const noexcept {
    object->~T();
    BufferPool::give(object);
  }
};

template <class T>
using Borrowed = std::unique_ptr<T, GiveBack<T>>;

// A new T in a borrowed block. Only what T's constructor initialises is touched.
template <class T>
Borrowed<T> borrow() {
  static_assert(sizeof(T) <= kBlockBytes && alignof(T) <= alignof(std::max_align_t));
  static_assert(std::is_nothrow_default_constructible_v<T>);
  return Borrowed<T>(new (BufferPool::take()) T);
}

}  // namespace baselines
