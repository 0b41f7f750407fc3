// wrk 4.1.0 as a load generator. Everything that is known about wrk lives here and in report.lua.
#pragma once

#include <string>

#include "harness/generators/generator_process.h"

namespace archbench {

class Wrk : public GeneratorProcess {
 public:
  // `program` is wrk itself, `script` is report.lua.
  Wrk(std::filesystem::path program, std::filesystem::path script)
      : GeneratorProcess("wrk", std::move(program)), script_(std::move(script)) {}

 private:
  Launch prepare(const Load& load) override;
  GeneratorReport read_report(const Load& load) override;

  std::filesystem::path script_;
};

// A mix as report.lua reads it from its environment: "weight path" lines.
std::string wrk_mix(const std::vector<WeightedPath>& mix);

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

}  // namespace archbench
