// How stload ends when it cannot go on.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

namespace stload {

// The sentence is printed and the exit status is 1.
class Fatal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// "opening x: Permission denied", from errno.
std::string with_errno(const std::string& what, int error);

// The whole file. Throws Fatal.
std::string read_file(const std::filesystem::path& file);

}  // namespace stload
