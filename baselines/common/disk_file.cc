#include "baselines/common/disk_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>

#include "baselines/common/split_mix.h"

namespace baselines {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why, const char* advice) {
  throw std::runtime_error("--disk-file '" + path + "': " + why + "; " + advice);
}

constexpr const char* kMakeOne = "make one with: make_disk_file FILE";
constexpr const char* kElsewhere = "put it on a file system that a disk is behind, such as ext4";

// A tmpfs of Linux 6.6 and later takes O_DIRECT, and reads from memory all the same.
bool is_in_memory(int fd) {
  struct statfs system {};
  return fstatfs(fd, &system) == 0 &&
         (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

}  // namespace

void fill_disk_block(std::uint64_t number, std::span<char, kDiskBlockBytes> block) {
  std::uint64_t state = number;
  for (std::size_t at = 0; at < block.size(); at += sizeof(state), state += kSplitMixStep) {
    const std::uint64_t eight = split_mix(state);
    std::memcpy(block.data() + at, &eight, sizeof(eight));
  }
}

DiskBuffer make_disk_buffer() {
  DiskBuffer buffer(static_cast<char*>(std::aligned_alloc(kDiskAlignment, kDiskBlockBytes)));
  if (buffer == nullptr) throw std::bad_alloc();
  return buffer;
}

off_t DiskReads::offset() const {
  return static_cast<off_t>(split_mix(random) % blocks * kDiskBlockBytes);
}

bool DiskReads::took(ssize_t result, const char* block) {
  if (result != static_cast<ssize_t>(kDiskBlockBytes)) return false;
  std::uint64_t stamp = 0;
  std::memcpy(&stamp, block, sizeof(stamp));
  if (stamp != split_mix(static_cast<std::uint64_t>(offset()) / kDiskBlockBytes)) return false;
  random += kSplitMixStep;
  --left;
  return true;
}

bool DiskReads::read_all(char* block) {
  while (left > 0) {
    const ssize_t result = pread(fd, block, kDiskBlockBytes, offset());
    if (result < 0 && errno == EINTR) continue;
    if (!took(result, block)) return false;
  }
  return true;
}

DiskFile::DiskFile(const std::string& path)
    : fd_(open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC)) {
  if (!fd_ && errno == EINVAL) refuse(path, "this file system has no O_DIRECT", kElsewhere);
  if (!fd_) refuse(path, std::strerror(errno), kMakeOne);
  if (is_in_memory(fd_.get())) refuse(path, "this file system is in memory", kElsewhere);
  struct stat status {};
  if (fstat(fd_.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    refuse(path, "not a regular file", kMakeOne);
  }
  blocks_ = static_cast<std::uint64_t>(status.st_size) / kDiskBlockBytes;
  // One read says both whether O_DIRECT holds what open() promised and whose file it is.
  if (blocks_ == 0 || !random_reads(1).read_all(make_disk_buffer().get())) {
    refuse(path, "it does not hold the blocks that are expected, or they cannot be read", kMakeOne);
  }
}

DiskReads DiskFile::random_reads(std::uint32_t count) const {
  // From the kernel, because processes that were forked would repeat each other's numbers; next to
  // a read it costs nothing.
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
    seed = reinterpret_cast<std::uintptr_t>(&seed);
  return {.fd = fd_.get(), .left = count, .blocks = blocks_, .random = seed};
}

}  // namespace baselines
