// Reads a server's live counters (its --counters FILE) while it runs.
//
// The layout is a contract between two programs. It is stated in baselines/common/counters.h for
// the servers and once more in counters.cc for the harness, which knows servers by their command
// line and their files alone and must be able to measure one that is built elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace archbench {

// Sums over all kernel vehicles since the server's start. They only ever grow.
struct CounterTotals {
  std::uint64_t requests = 0;     // answers fully handed to the kernel, errors included
  std::uint64_t connections = 0;  // accepted
  std::uint64_t served = 0;       // of those, with at least one whole answer
  std::uint64_t closed = 0;       // ended; connections - closed are open
  std::uint64_t bytes = 0;        // handed to the kernel, heads included
  std::uint64_t errors = 0;       // answers with a status of 400 or more
  std::uint64_t refused = 0;      // turned away because of a limit
};

class CounterFile {
 public:
  // Maps the file. Throws CellFailed when it is not there or not what it should be.
  explicit CounterFile(const std::filesystem::path& path);
  ~CounterFile();
  CounterFile(const CounterFile&) = delete;
  CounterFile& operator=(const CounterFile&) = delete;

  CounterTotals read() const;

 private:
  const unsigned char* memory_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace archbench
