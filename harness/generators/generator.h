// What the runner needs from a load generator. Each is one driver (wrk.h, stload.h, ...); the
// runner knows no other word.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/generators/histogram.h"
#include "harness/plan/cell.h"

namespace archbench {

// What one cell asks of the generator.
struct Load {
  std::string url;  // of the server, without a path
  Workload workload;
  int clients = 0;
  double warmup_s = 0;                  // before the window, after connecting
  double window_s = 0;                  // what is measured
  double least_s = 0;                   // it is needed so long, if all goes as it should
  double longest_s = 0;                 // and never longer
  std::vector<int> cpus;                // it runs on these
  std::filesystem::path raw_directory;  // what it writes is kept here,
  std::string file_stem;                // under names that begin like this
};

// What is known about latencies. Absent: this generator does not tell.
struct Latencies {
  std::optional<double> mean_us, p50_us, p90_us, p99_us, p999_us, max_us;
  Histogram buckets = {};  // rounded, for merging several of them; empty: not known
};

// What the generator says about its own run, from its first connection to its end.
struct GeneratorReport {
  std::uint64_t requests = 0;          // whole answers read
  std::optional<std::uint64_t> bytes;  // everything read, heads and unfinished answers included
  double duration_s = 0;
  std::uint64_t errors_connect = 0;
  std::uint64_t errors_read = 0;
  std::uint64_t errors_write = 0;
  std::uint64_t errors_timeout = 0;  // answers that came too late to be in `latency`
  std::uint64_t errors_status = 0;   // answers with a status of 400 or more; they count as requests
  Histogram latency;                 // as observed, corrections removed; empty: see `latencies`
  Latencies latencies;               // what it says itself, where there is no histogram
  Latencies intended;                // open loop: from when a request was due
  std::optional<double> latency_rps;  // the rate of the answers that latencies are of, if not all
  std::optional<double> send_lag_us_p99;
  std::optional<double> jain_index;
  std::optional<std::uint64_t> slowest_client_requests;
  std::optional<std::uint64_t> clients_served;
  std::map<std::string, std::string> absent;  // measurement -> why this generator has none
};

class Generator {
 public:
  virtual ~Generator() = default;

  virtual void start(const Load& load) = 0;  // throws CellFailed

  // Threads or processes, and command line, of the run that start() began.
  virtual int threads() const = 0;
  virtual std::vector<std::string> command() const = 0;

  virtual bool running() = 0;
  virtual double cpu_s() = 0;                      // CPU time so far
  virtual std::vector<double> worker_cpu_s() = 0;  // of each thread that makes load

  // Ends the run and reads its report. Throws CellFailed when it cannot be had or understood.
  virtual GeneratorReport finish() = 0;

  // Files it has written, relative to raw_directory; removes those that are empty.
  virtual std::vector<std::string> collect_raw_files() = 0;

  // Ends it without a report and forgets its command and files; also after a failure, also when it
  // is not running.
  virtual void abandon() noexcept = 0;
};

}  // namespace archbench
