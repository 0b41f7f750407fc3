// wrk 4.1.0 as a load generator. Everything that is known about wrk lives here and in report.lua.
#pragma once

#include <memory>
#include <string>

#include "harness/generator.h"
#include "harness/subprocess.h"

namespace archbench {

class Wrk : public Generator {
 public:
  // `program` is wrk itself, `script` is report.lua.
  Wrk(std::filesystem::path program, std::filesystem::path script);

  void start(const Load& load) override;
  int threads() const override { return threads_; }
  std::vector<std::string> command() const override { return command_; }
  bool running() override;
  double cpu_s() override;
  GeneratorReport finish() override;
  std::vector<std::string> collect_raw_files() override;
  void abandon() noexcept override;

 private:
  std::filesystem::path program_, script_;
  Load load_;
  int threads_ = 0;
  std::vector<std::string> command_;
  std::unique_ptr<Child> child_;
};

// Threads for so many clients on so many CPUs: the largest divisor of `clients` up to `cpus`,
// because wrk gives every thread clients/threads connections and silently opens no others.
int wrk_threads(int clients, int cpus);

// What report.lua wrote, checked and with the latency correction removed. Throws CellFailed.
GeneratorReport parse_wrk_report(const std::string& json_text, int clients);

// Removes wrk's correction for coordinated omission. Before done() runs, wrk takes e, the average
// time between two answers on one connection, and for each latency n >= 2e adds n's count at n-e,
// n-2e,
// ... as long as that is above e. So for m > e, with raw(n) the counts that were observed,
//     data(m)   = raw(m)   + raw(m+e) + raw(m+2e) + ...
//     data(m+e) = raw(m+e) + raw(m+2e) + ...
// and raw(m) = data(m) - data(m+e), while nothing was added at m <= e. Throws CellFailed when a
// count would become negative: then the data were not made that way.
Histogram uncorrect(const Histogram& corrected, std::uint64_t expected_us);

// First line of `wrk -v`, as in "wrk debian/4.1.0-3+b2 [epoll] ..."; empty when it says nothing.
std::string wrk_version(const std::filesystem::path& program);

}  // namespace archbench
