#include "harness/servers/files.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/error.h"
#include "harness/os/process_tree.h"
#include "harness/os/system.h"

namespace archbench {

namespace fs = std::filesystem;

void make_files(const std::vector<ServedFile>& files, const fs::path& folder,
                const fs::path& make_disk_file) {
  constexpr std::size_t kChunk = 1 << 16;
  std::string chunk(kChunk, '\0');
  for (std::size_t i = 0; i < kChunk; ++i) chunk[i] = static_cast<char>('!' + i * 31 % 90);
  for (const auto& [name, bytes, disk] : files) {
    const fs::path path = folder / name;
    std::error_code missing;
    if (fs::file_size(path, missing) == bytes && !missing) continue;
    fs::create_directories(path.parent_path(), missing);
    if (disk) {
      const std::string mib = std::to_string(bytes >> 20);
      if (!capture({make_disk_file.string(), path.string(), "--mib", mib})) {
        throw Error(make_disk_file.string() + " " + path.string() + " --mib " + mib +
                    " failed; try it by hand");
      }
      continue;
    }
    std::ofstream out(path, std::ios::binary);
    for (std::uint64_t left = bytes; left > 0 && out.good();) {
      const std::uint64_t part = std::min<std::uint64_t>(left, kChunk);
      out.write(chunk.data(), static_cast<std::streamsize>(part));
      left -= part;
    }
    if (!out.flush().good()) throw Error("making " + path.string() + " failed: disk full?");
  }
}

std::string Origin::url_on(const std::vector<int>& cpus) {
  if (child_ && cpus == cpus_ && !child_->ended(0)) return url_;
  constexpr double kPatience = 10;  // seconds
  child_.reset();
  try {
    child_ = std::make_unique<Child>(
        Program{.command = {program_.string(), "--listen", "127.0.0.1:0", "--backlog", "4096"},
                .cpus = cpus,
                .stdout_file = {},
                .stderr_file = {},
                .environment = {},
                .death_signal = SIGTERM});
  } catch (const Error& error) {
    throw CellFailed(error.what());
  }
  const auto line = child_->read_line(kPatience);
  const auto ready = nlohmann::json::parse(line.value_or(""), nullptr, false);
  if (!ready.is_object() || !ready.contains("url")) {
    throw CellFailed("the origin " + program_.string() + " did not get ready");
  }
  cpus_ = cpus;
  url_ = ready["url"].get<std::string>();
  return url_;
}

double Origin::cpu_s() const {
  if (!child_) return 0;
  double sum = process_cpu_seconds(child_->pid()).value_or(0);
  for (const pid_t child : children_of(child_->pid())) {
    sum += process_cpu_seconds(child).value_or(0);
  }
  return sum;
}

}  // namespace archbench
