// What a server serves, and within which limits: made once before serving, then constant.
//
// A Site may be used by any number of kernel threads at once, and by children after fork().
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace baselines {

class DiskFile;
class FileCache;
class Origin;

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

struct SiteOptions {
  std::string docroot;  // folder behind /file/; empty: there are no files, /file/ is 404

  std::string disk_file;    // the file behind /disk/; empty: /disk/ is 404
  std::string origin_host;  // the server behind /proxy/; empty: /proxy/ is 404
  std::uint16_t origin_port = 0;

  // How long a connection may wait for its client: idle, within a request, or with output the
  // client does not take.
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds(60);

  // Limits of a request, each with the status that tells the client.
  std::size_t max_target_bytes = 8 * kKiB;  // 414; browsers stay below 8 KiB
  std::size_t max_head_bytes = 16 * kKiB;   // 431; at most kMaxHeadBytes
  std::size_t max_fields = 100;             // 431
  std::size_t max_body_bytes = 1 * kMiB;    // 413; bodies are read and thrown away

  // The most that one request may ask for, above that there is no such path: 404.
  std::uint64_t max_cpu_microseconds = 1'000'000;  // longer is a way to stop a server
  std::uint64_t max_alloc_pairs = 1'000'000;       // some 50 ms
  std::uint32_t max_disk_reads = 256;              // 4 MiB

  // Files. Up to `max_cached_file_bytes` a file is read into memory and kept while `cache_bytes`
  // last; larger ones are mapped for each answer, so the kernel's page cache is their cache.
  std::size_t cache_bytes = 64 * kMiB;
  std::size_t max_cached_file_bytes = 1 * kMiB;
};

// A head must be contiguous to be parsed, so it has to fit in one block of the buffer pool.
inline constexpr std::size_t kMaxHeadBytes = 16 * kKiB;

// The most that /bytes/N serves.
inline constexpr std::size_t kMaxPatternBytes = 16 * kMiB;

class Site {
 public:
  // Throws std::system_error when the docroot cannot be opened as a folder or memory is missing,
  // std::runtime_error when the disk file or the origin is of no use, std::invalid_argument when a
  // limit makes no sense; the text names the thing and its value.
  explicit Site(const SiteOptions& options);
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  const SiteOptions& options() const { return options_; }

  // The body of /bytes/N is its first N bytes. Printable, the same in every run: the eight bytes
  // from 8*i on are, in little-endian order, (mix(i) & 0x3f3f3f3f3f3f3f3f) + 0x3030303030303030
  // where mix is split_mix() (mix(0) = 0xe220a8397b1dcdaf).
  std::string_view pattern() const { return {pattern_.get(), kMaxPatternBytes}; }

  // Null when there is no docroot.
  FileCache* files() const { return files_.get(); }

  // Null when none was given.
  const DiskFile* disk_file() const { return disk_file_.get(); }
  const Origin* origin() const { return origin_.get(); }

 private:
  struct Unmap {
    void operator()(const char* pattern) const noexcept;
  };

  SiteOptions options_;
  std::unique_ptr<const char, Unmap> pattern_;
  std::unique_ptr<FileCache> files_;
  std::unique_ptr<const DiskFile> disk_file_;
  std::unique_ptr<const Origin> origin_;
};

}  // namespace baselines
