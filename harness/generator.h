// What the runner needs from a load generator. wrk (wrk.h) is one; the runner knows no other word.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/histogram.h"

namespace archbench {

// What one cell asks of the generator.
struct Load {
  std::string url;  // of the server, without a path
  std::string path;
  int clients = 0;
  bool keepalive = true;
  double longest_s = 0;                 // ends by itself after that, should nobody end it
  std::vector<int> cpus;                // it runs on these
  std::filesystem::path raw_directory;  // what it writes is kept here,
  std::string file_stem;                // under names that begin like this
};

// What the generator says about its own run, from its first connection to its end.
struct GeneratorReport {
  std::uint64_t requests = 0;  // whole answers read
  std::uint64_t bytes = 0;     // everything read, heads and unfinished answers included
  double duration_s = 0;
  std::uint64_t errors_connect = 0;
  std::uint64_t errors_read = 0;
  std::uint64_t errors_write = 0;
  std::uint64_t errors_timeout = 0;  // answers that came too late to be in `latency`
  std::uint64_t errors_status = 0;   // answers with a status of 400 or more; they count as requests
  Histogram latency;                 // as observed: corrections removed
};

class Generator {
 public:
  virtual ~Generator() = default;

  virtual void start(const Load& load) = 0;  // throws CellFailed

  // Threads and command line of the run that start() began.
  virtual int threads() const = 0;
  virtual std::vector<std::string> command() const = 0;

  virtual bool running() = 0;
  virtual double cpu_s() = 0;  // CPU time so far

  // Ends the run and reads its report. Throws CellFailed when it cannot be had or understood.
  virtual GeneratorReport finish() = 0;

  // Files it has written, relative to raw_directory; removes those that are empty.
  virtual std::vector<std::string> collect_raw_files() = 0;

  // Ends it without a report and forgets its command and files; also after a failure, also when it
  // is not running.
  virtual void abandon() noexcept = 0;
};

}  // namespace archbench
