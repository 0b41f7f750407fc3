// One regular file as it was when it was opened: its bytes, and what HTTP says about them.
#pragma once

#include <sys/stat.h>

#include <ctime>
#include <memory>
#include <string>
#include <string_view>

namespace baselines {

class File {
 public:
  // Reads `fd` whole, or maps it when it is larger than `max_read_bytes`. A mapped file that
  // somebody writes to meanwhile is sent as it is then. Throws std::system_error or std::bad_alloc.
  static std::shared_ptr<const File> load(int fd, const struct stat& status, std::string_view path,
                                          std::size_t max_read_bytes);

  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  std::string_view body() const { return {bytes_, size_}; }
  std::string_view content_type() const { return content_type_; }
  std::string_view fields() const { return fields_; }  // Last-Modified and ETag, whole lines
  std::string_view etag() const { return etag_; }
  std::time_t modified() const { return modified_; }  // never in the future, as Last-Modified says

  // Whether `status` describes the same contents.
  bool is_still(const struct stat& status) const;

 private:
  explicit File(const struct stat& status, std::string_view path);
  void read_all(int fd);
  void map(int fd);

  struct stat status_;
  std::time_t modified_;
  std::string_view content_type_;  // static
  std::string fields_;
  std::string etag_;
  std::unique_ptr<char[]> read_;  // the bytes when they were read
  const char* bytes_ = nullptr;
  std::size_t size_ = 0;
};

// By the extension of `path`; application/octet-stream when it says nothing.
std::string_view content_type_of(std::string_view path);

}  // namespace baselines
