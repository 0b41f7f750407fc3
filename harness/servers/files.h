// What archbench itself provides for servers: the plan's files, and an origin to fetch from.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/os/subprocess.h"
#include "harness/plan/plan.h"

namespace archbench {

// Makes the plan's files below `folder` where they are not there yet with their size. Their bytes
// are printable and the same everywhere; those for /disk/ are made by `make_disk_file`. Throws
// Error.
void make_files(const std::vector<ServedFile>& files, const std::filesystem::path& folder,
                const std::filesystem::path& make_disk_file);

// A null responder on the generator's CPUs, from which servers fetch what is asked of /proxy/.
class Origin {
 public:
  explicit Origin(std::filesystem::path program) : program_(std::move(program)) {}

  // Starts it on `cpus`, or moves it there; returns its URL. Throws CellFailed.
  std::string url_on(const std::vector<int>& cpus);

  double cpu_s() const;  // of it and its processes so far; 0 when it was never started

 private:
  std::filesystem::path program_;
  std::vector<int> cpus_;
  std::string url_;
  std::unique_ptr<Child> child_;
};

}  // namespace archbench
