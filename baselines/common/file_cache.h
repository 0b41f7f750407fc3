// The files under a docroot, in memory as long as there is room.
//
// Shared by all kernel threads of a server. The paths are spread over shards, each with its own
// lock, so a hit costs one lock that is hardly ever contended; nothing is opened or read while a
// lock is held. A file that is being sent stays valid when the cache has dropped it.
//
// Blocking: a miss opens and reads, and once a second a hit looks whether the file has changed.
// That is the work an architecture without kernel threads must hand to helpers or wait for.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "baselines/common/clock.h"
#include "baselines/common/file.h"

namespace baselines {

class FileCache {
 public:
  // Throws std::system_error when `docroot` cannot be opened as a folder, or when the kernel cannot
  // confine a path to it (openat2, Linux 5.6).
  FileCache(const std::string& docroot, std::size_t cache_bytes, std::size_t max_cached_file_bytes);
  ~FileCache();
  FileCache(const FileCache&) = delete;
  FileCache& operator=(const FileCache&) = delete;

  // The regular file at `path`, relative to the docroot and followed by a NUL; null when there is
  // none, it may not be read, or the path leads out of the docroot. Sees a change after a second.
  // Throws std::system_error or std::bad_alloc when the machine fails, not the path.
  std::shared_ptr<const File> find(std::string_view path, Clock::time_point now);

  std::size_t bytes_in_use() const;  // of all files in the cache

 private:
  struct Entry {
    std::string path;
    std::shared_ptr<const File> file;
    Clock::time_point checked;  // when the file was last known to be unchanged
  };
  using Entries = std::list<Entry>;  // the one used last comes first

  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Entries entries;
    std::unordered_map<std::string_view, Entries::iterator> index;  // keys are the entries' paths
    std::size_t bytes = 0;
  };

  static constexpr std::size_t kShards = 16;

  Shard& shard_of(std::string_view path) {
    return shards_[std::hash<std::string_view>()(path) % kShards];
  }
  int open_beneath(const char* path) const;
  std::shared_ptr<const File> revalidate(Shard& shard, std::string_view path,
                                         std::shared_ptr<const File> known, Clock::time_point now);
  void insert(Shard& shard, std::string_view path, const std::shared_ptr<const File>& file,
              Clock::time_point now);
  static void erase(Shard& shard, std::string_view path);
  static void erase(Shard& shard, Entries::iterator entry);

  int docroot_;
  std::size_t shard_bytes_;      // the most one shard holds
  std::size_t max_read_bytes_;   // larger files are mapped
  std::size_t max_cached_file_;  // larger files are not kept
  std::array<Shard, kShards> shards_;
};

}  // namespace baselines
