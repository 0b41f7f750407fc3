// The file that /disk/N reads from: blocks that know their own number, read past the page cache.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>

#include "baselines/common/fd.h"

namespace baselines {

inline constexpr std::size_t kDiskBlockBytes = std::size_t{16} * 1024;

// Where O_DIRECT wants buffers to begin; no block device of today has larger sectors.
inline constexpr std::size_t kDiskAlignment = 4096;

// A block begins with a number made from its place, so that a read from anywhere else is noticed;
// what follows cannot be compressed.
void fill_disk_block(std::uint64_t number, std::span<char, kDiskBlockBytes> block);

struct FreeMemory {
  void operator()(char* memory) const noexcept { std::free(memory); }
};
using DiskBuffer = std::unique_ptr<char, FreeMemory>;
DiskBuffer make_disk_buffer();  // one block; throws std::bad_alloc

// Reads that are to be made one after another, at random places. Trivially copyable, so that a
// helper process that has inherited the descriptor can be sent it.
struct DiskReads {
  int fd = -1;               // of the file, opened with O_DIRECT
  std::uint32_t left = 0;    // how many are still to be made
  std::uint64_t blocks = 0;  // in the file
  std::uint64_t random = 0;  // SplitMix64's state

  // The next read takes kDiskBlockBytes from here, with pread() or in any other way.
  off_t offset() const;

  // The next read has brought `result` bytes to `block`; negative is a failure. False: that is not
  // what the file holds.
  bool took(ssize_t result, const char* block);

  // Makes all that are left, with calls that wait. False: one has failed.
  bool read_all(char* block);
};

class DiskFile {
 public:
  // Throws std::runtime_error, with a sentence that says what to do, when reads from `path` would
  // not reach a disk or would not bring what make_disk_file has written.
  explicit DiskFile(const std::string& path);

  // `count` reads at places that nobody else gets in the same order.
  DiskReads random_reads(std::uint32_t count) const;

 private:
  Fd fd_;
  std::uint64_t blocks_ = 0;
};

}  // namespace baselines
