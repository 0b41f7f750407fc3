// Makes the file that /disk/N reads from: make_disk_file FILE [--mib N].
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "baselines/common/disk_file.h"

namespace baselines {
namespace {

constexpr std::uint64_t kBlocksPerMiB = 1024 * 1024 / kDiskBlockBytes;

bool is_there(const std::string& path, std::uint64_t blocks) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return false;
  if (static_cast<std::uint64_t>(status.st_size) != blocks * kDiskBlockBytes) return false;
  try {
    const DiskFile file(path);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// Under another name until it is whole, so that no server ever opens half a file.
void make(const std::string& path, std::uint64_t blocks) {
  const std::string part = path + ".part";
  const auto check = [&part](bool condition) {
    if (condition) return;
    const std::string why = std::strerror(errno);
    unlink(part.c_str());
    throw std::runtime_error("cannot write '" + part + "': " + why +
                             "; choose another place or fewer --mib");
  };
  const Fd file(open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  check(bool(file));
  std::array<char, kDiskBlockBytes> block;
  for (std::uint64_t number = 0; number < blocks; ++number) {
    fill_disk_block(number, block);
    check(write(file.get(), block.data(), block.size()) == static_cast<ssize_t>(block.size()));
  }
  check(fsync(file.get()) == 0);
  try {
    const DiskFile usable(part);  // says so now, and not when a server starts
  } catch (const std::exception&) {
    unlink(part.c_str());
    throw;
  }
  check(rename(part.c_str(), path.c_str()) == 0);
}

int run(int argc, char** argv) {
  std::string path;
  std::uint64_t mib = 1024;
  CLI::App app("Makes the file that the servers' --disk-file wants, if it is not there yet.");
  app.add_option("FILE", path, "on the disk that is to be measured")->required();
  app.add_option("--mib", mib, "its size; more than the disk itself can cache [1024]")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 24));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  const std::uint64_t blocks = mib * kBlocksPerMiB;
  if (!is_there(path, blocks)) make(path, blocks);
  return 0;
}

}  // namespace
}  // namespace baselines

int main(int argc, char** argv) {
  try {
    return baselines::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
