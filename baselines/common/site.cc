#include "baselines/common/site.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "baselines/common/disk_file.h"
#include "baselines/common/file_cache.h"
#include "baselines/common/origin.h"
#include "baselines/common/split_mix.h"

namespace baselines {
namespace {

// In shared memory although nobody else maps it: fork() does not copy the page tables of shared
// memory, so a server that forks for each connection does not pay for 4,096 pages it never uses.
const char* make_pattern() {
  void* const memory =
      mmap(nullptr, kMaxPatternBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(),
                            "out of memory, raise 'ulimit -v': 16 MiB for the pattern of /bytes/N");
  }
  auto* const bytes = static_cast<char*>(memory);
  for (std::uint64_t i = 0; i < kMaxPatternBytes / sizeof(i); ++i) {
    // Six random bits in each byte, moved to the printable range '0'..'o'.
    const std::uint64_t eight = (split_mix(i) & 0x3f3f3f3f3f3f3f3f) + 0x3030303030303030;
    std::memcpy(bytes + i * sizeof(eight), &eight, sizeof(eight));
  }
  mprotect(memory, kMaxPatternBytes, PROT_READ);  // where this fails, we still never write
  return bytes;
}

void require(bool condition, const char* what, std::size_t value, const char* expected) {
  if (condition) return;
  throw std::invalid_argument(std::string(what) + " is " + std::to_string(value) + " but must be " +
                              expected);
}

void check(const SiteOptions& options) {
  require(options.max_head_bytes >= 64 && options.max_head_bytes <= kMaxHeadBytes, "max_head_bytes",
          options.max_head_bytes, "64 to 16384: a head is parsed in one block");
  require(options.max_target_bytes >= 1 && options.max_target_bytes <= options.max_head_bytes,
          "max_target_bytes", options.max_target_bytes, "1 to max_head_bytes");
  require(options.max_body_bytes <= (std::size_t{1} << 40), "max_body_bytes",
          options.max_body_bytes, "at most 2^40");
  require(options.idle_timeout > std::chrono::nanoseconds(0), "idle_timeout",
          static_cast<std::size_t>(options.idle_timeout.count()), "more than 0 ns");
}

}  // namespace

void Site::Unmap::operator()(const char* pattern) const noexcept {
  munmap(const_cast<char*>(pattern), kMaxPatternBytes);
}

Site::Site(const SiteOptions& options) : options_(options) {
  check(options_);
  pattern_.reset(make_pattern());
  if (!options_.docroot.empty()) {
    files_ = std::make_unique<FileCache>(options_.docroot, options_.cache_bytes,
                                         options_.max_cached_file_bytes);
  }
  if (!options_.disk_file.empty()) disk_file_ = std::make_unique<DiskFile>(options_.disk_file);
  if (!options_.origin_host.empty()) {
    origin_ = std::make_unique<Origin>(options_.origin_host, options_.origin_port);
  }
}

Site::~Site() = default;

}  // namespace baselines
