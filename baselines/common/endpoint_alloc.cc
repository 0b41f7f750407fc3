#include <array>
#include <cstdlib>
#include <memory>
#include <new>

#include "baselines/common/endpoints.h"
#include "baselines/common/split_mix.h"

namespace baselines {
namespace {

// Blocks that live at once. An allocator keeps a few free ones of each size at hand; this many of
// mixed sizes reach behind that to what its threads share.
constexpr std::size_t kAlive = 256;

// 16 bytes to 4 KiB, each power of two as often as the next: most blocks of a server are small.
std::size_t block_size(std::uint64_t random) {
  const std::size_t power = std::size_t{16} << (random % 8);
  return power + (random >> 32) % power;
}

struct Free {
  void operator()(unsigned char* block) const noexcept { std::free(block); }
};

}  // namespace

Answer alloc(const Call& call) {
  std::uint64_t pairs = 0;
  if (!is_number(call.rest, call.site.options().max_alloc_pairs, pairs)) return status_answer(404);
  std::array<std::unique_ptr<unsigned char, Free>, kAlive> alive;
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    const std::size_t size = block_size(split_mix(i));
    auto* const block = static_cast<unsigned char*>(std::malloc(size));
    if (block == nullptr) throw std::bad_alloc();
    *static_cast<volatile unsigned char*>(block) = 1;  // a block that nobody uses may be left out
    alive[i % kAlive].reset(block);                    // frees the one of kAlive pairs ago
    bytes += size;
  }
  return text_answer(std::to_string(bytes) + " bytes\n");
}

}  // namespace baselines
