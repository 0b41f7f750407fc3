#include "baselines/common/file_cache.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "baselines/common/answer.h"

namespace baselines {
namespace {

using namespace std::chrono_literals;

// How long a hit is believed without looking at the file.
constexpr auto kTrust = 1s;

// What an entry costs beside its bytes: the two nodes, the strings, the File.
constexpr std::size_t kEntryOverhead = 512;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Whether `error` says that the path leads nowhere a client may go. Anything else - no descriptors,
// no memory, a failing disk - says nothing about the path.
bool is_about_path(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES || error == EPERM ||
         error == ELOOP || error == EXDEV || error == ENAMETOOLONG || error == ENXIO ||
         error == ENODEV || error == EISDIR;
}

std::size_t cost(const File& file) { return file.body().size() + kEntryOverhead; }

}  // namespace

FileCache::FileCache(const std::string& docroot, std::size_t cache_bytes,
                     std::size_t max_cached_file_bytes)
    : docroot_(open(docroot.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      shard_bytes_(cache_bytes / kShards),
      // What the handler copies must not be mapped: reading a mapped file that has been truncated
      // kills the process, while the kernel just reports it.
      max_read_bytes_(std::max(max_cached_file_bytes, kMaxCopiedBody)),
      max_cached_file_(max_cached_file_bytes) {
  if (docroot_ < 0) {
    throw std::system_error(errno, std::generic_category(),
                            "docroot \"" + docroot + "\" cannot be opened as a folder");
  }
  const Descriptor probe(open_beneath("."));
  if (probe.get() < 0) {
    const int error = errno;
    close(docroot_);
    throw std::system_error(
        error, std::generic_category(),
        "docroot \"" + docroot + "\": openat2() is needed to confine paths to it");
  }
}

FileCache::~FileCache() { close(docroot_); }

int FileCache::open_beneath(const char* path) const {
  open_how how{};
  // Not blocking: opening a FIFO must not wait for its writer.
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // EAGAIN says that a rename elsewhere may have confused the walk; a few tries are enough to
  // outlast any that is not made in order to annoy.
  for (int tries = 0; tries < 8; ++tries) {
    const long fd = syscall(SYS_openat2, docroot_, path, &how, sizeof(how));
    if (fd >= 0) return static_cast<int>(fd);
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return -1;
}

std::shared_ptr<const File> FileCache::find(std::string_view path, Clock::time_point now) {
  Shard& shard = shard_of(path);
  std::shared_ptr<const File> known;
  {
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.index.find(path);
    if (found != shard.index.end()) {
      Entry& entry = *found->second;
      shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
      if (now < entry.checked + kTrust) return entry.file;
      entry.checked = now;  // the others go on with what we have while this thread looks
      known = entry.file;
    }
  }
  return revalidate(shard, path, std::move(known), now);
}

// Opens the file again, so that a changed link is confined as the first time. `known` may be null.
std::shared_ptr<const File> FileCache::revalidate(Shard& shard, std::string_view path,
                                                  std::shared_ptr<const File> known,
                                                  Clock::time_point now) {
  const Descriptor fd(open_beneath(path.data()));
  if (fd.get() < 0 && !is_about_path(errno)) {
    if (known != nullptr) return known;  // not fresh, but the best there is
    throw std::system_error(errno, std::generic_category(), "open \"" + std::string(path) + "\"");
  }
  struct stat status {};
  if (fd.get() < 0 || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    if (known != nullptr) {
      const std::lock_guard lock(shard.mutex);
      erase(shard, path);
    }
    return nullptr;
  }
  if (known != nullptr && known->is_still(status)) return known;
  std::shared_ptr<const File> file = File::load(fd.get(), status, path, max_read_bytes_);
  const std::lock_guard lock(shard.mutex);
  erase(shard, path);
  if (file->body().size() <= max_cached_file_) insert(shard, path, file, now);
  return file;
}

void FileCache::insert(Shard& shard, std::string_view path, const std::shared_ptr<const File>& file,
                       Clock::time_point now) {
  if (cost(*file) > shard_bytes_) return;
  while (shard.bytes + cost(*file) > shard_bytes_) erase(shard, std::prev(shard.entries.end()));
  shard.entries.push_front({std::string(path), file, now});
  shard.index.emplace(shard.entries.front().path, shard.entries.begin());
  shard.bytes += cost(*file);
}

void FileCache::erase(Shard& shard, std::string_view path) {
  const auto found = shard.index.find(path);
  if (found != shard.index.end()) erase(shard, found->second);
}

void FileCache::erase(Shard& shard, Entries::iterator entry) {
  shard.bytes -= cost(*entry->file);
  shard.index.erase(entry->path);
  shard.entries.erase(entry);
}

std::size_t FileCache::bytes_in_use() const {
  std::size_t bytes = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    bytes += shard.bytes;
  }
  return bytes;
}

}  // namespace baselines
