#include "baselines/common/file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "baselines/common/http_date.h"

namespace baselines {
namespace {

struct ContentType {
  std::string_view extension;
  std::string_view type;
};

constexpr ContentType kContentTypes[] = {
    {"css", "text/css"},          {"csv", "text/csv"},          {"gif", "image/gif"},
    {"htm", "text/html"},         {"html", "text/html"},        {"ico", "image/x-icon"},
    {"jpeg", "image/jpeg"},       {"jpg", "image/jpeg"},        {"js", "text/javascript"},
    {"json", "application/json"}, {"md", "text/markdown"},      {"mp4", "video/mp4"},
    {"pdf", "application/pdf"},   {"png", "image/png"},         {"svg", "image/svg+xml"},
    {"txt", "text/plain"},        {"wasm", "application/wasm"}, {"webp", "image/webp"},
    {"xml", "application/xml"},
};

bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

// Strong: any change of the contents changes one of these, as far as the file system's clock ticks.
std::string make_etag(const struct stat& status) {
  std::array<char, 96> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "\"%lx-%lx-%lx.%lx\"", static_cast<unsigned long>(status.st_ino),
      static_cast<unsigned long>(status.st_size), static_cast<unsigned long>(status.st_mtim.tv_sec),
      static_cast<unsigned long>(status.st_mtim.tv_nsec));
  return std::string(text.data(), static_cast<std::size_t>(size));
}

}  // namespace

std::string_view content_type_of(std::string_view path) {
  const std::size_t dot = path.find_last_of("./");
  if (dot != std::string_view::npos && path[dot] == '.') {
    for (const ContentType& entry : kContentTypes) {
      if (path.substr(dot + 1) == entry.extension) return entry.type;
    }
  }
  return "application/octet-stream";
}

File::File(const struct stat& status, std::string_view path)
    : status_(status),
      // RFC 9110, 8.8.2.1: a time in the future is replaced by the time of the answer.
      modified_(std::min(status.st_mtime, std::time(nullptr))),
      content_type_(content_type_of(path)),
      etag_(make_etag(status)) {
  fields_ = "Last-Modified: " + http_date(modified_) + "\r\nETag: " + etag_ + "\r\n";
}

File::~File() {
  if (bytes_ != nullptr && read_ == nullptr) munmap(const_cast<char*>(bytes_), size_);
}

std::shared_ptr<const File> File::load(int fd, const struct stat& status, std::string_view path,
                                       std::size_t max_read_bytes) {
  std::shared_ptr<File> file(new File(status, path));
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size <= max_read_bytes) {
    file->read_all(fd);
  } else {
    file->map(fd);
  }
  return file;
}

bool File::is_still(const struct stat& status) const {
  return status.st_ino == status_.st_ino && status.st_dev == status_.st_dev &&
         status.st_size == status_.st_size && same_time(status.st_mtim, status_.st_mtim) &&
         same_time(status.st_ctim, status_.st_ctim);
}

void File::read_all(int fd) {
  const auto wanted = static_cast<std::size_t>(status_.st_size);
  // At least one byte, so that the pointer says how the bytes are held.
  read_ = std::make_unique_for_overwrite<char[]>(std::max<std::size_t>(wanted, 1));
  bytes_ = read_.get();
  while (size_ < wanted) {
    const ssize_t n = pread(fd, read_.get() + size_, wanted - size_, static_cast<off_t>(size_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw std::system_error(errno, std::generic_category(), "read of a file");
    if (n == 0) break;  // it has become shorter since fstat(); the next revalidation sees that
    size_ += static_cast<std::size_t>(n);
  }
}

void File::map(int fd) {
  const auto size = static_cast<std::size_t>(status_.st_size);
  void* const memory = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(), "mmap of a file");
  }
  bytes_ = static_cast<const char*>(memory);
  size_ = size;
}

}  // namespace baselines
