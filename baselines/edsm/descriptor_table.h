// Objects of one loop, found by the descriptor that each of them has.
//
// The kernel always gives out the lowest free descriptor, so a plain table is dense. It grows by
// chunks that never move: an object stays where it was made.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "baselines/common/fd.h"

namespace baselines {

// A T is made of (Fd socket, more...).
template <class T>
class DescriptorTable {
 public:
  template <class... Arguments>
  T& create(Fd socket, Arguments&&... arguments) {
    const auto fd = static_cast<std::size_t>(socket.get());
    if (fd / kChunk >= chunks_.size()) chunks_.resize(fd / kChunk + 1);
    auto& chunk = chunks_[fd / kChunk];
    if (!chunk) chunk = std::make_unique<Chunk>();
    ++size_;
    return (*chunk)[fd % kChunk].emplace(std::move(socket), std::forward<Arguments>(arguments)...);
  }

  // The object that was made with this descriptor; there must be one.
  void destroy(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    (*chunks_[index / kChunk])[index % kChunk].reset();
    --size_;
  }

  // Null when there is none.
  T* find(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (index / kChunk >= chunks_.size() || !chunks_[index / kChunk]) return nullptr;
    auto& object = (*chunks_[index / kChunk])[index % kChunk];
    return object ? &*object : nullptr;
  }

  // `act` may destroy the object it is given.
  template <class Act>
  void for_each(Act act) {
    for (auto& chunk : chunks_) {
      if (!chunk) continue;
      for (auto& object : *chunk) {
        if (object) act(*object);
      }
    }
  }

  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kChunk = 64;
  using Chunk = std::array<std::optional<T>, kChunk>;

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::size_t size_ = 0;
};

}  // namespace baselines
