#include "harness/stload/error.h"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

namespace stload {

std::string with_errno(const std::string& what, int error) {
  return what + ": " + std::generic_category().message(error);
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  // A folder can be opened, but not read.
  if (!in || !(in.peek(), !in.bad())) throw Fatal(with_errno("reading " + file.string(), errno));
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace stload
