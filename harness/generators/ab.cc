#include "harness/generators/ab.h"

#include <algorithm>
#include <cmath>
#include <csignal>

#include "harness/error.h"
#include "harness/generators/scan.h"
#include "harness/os/system.h"

namespace archbench {
namespace {

// ab keeps 40 bytes for each request it may make, of which only the used ones become resident.
constexpr long kMostRequests = 20'000'000;

}  // namespace

GeneratorProcess::Launch Ab::prepare(const Load& load) {
  Launch launch;
  // -n behind -t, which would set it to 50,000. -r: an error of one socket is counted and does not
  // end the run. -l: it would compare every length with the first answer's.
  launch.command = {program().string(),
                    "-q",
                    "-r",
                    "-l",
                    "-c",
                    std::to_string(load.clients),
                    "-t",
                    std::to_string(static_cast<long>(std::ceil(load.longest_s))),
                    "-n",
                    std::to_string(kMostRequests),
                    "-e",
                    file(".json").string()};
  if (load.workload.keepalive) launch.command.push_back("-k");
  launch.command.push_back(load.url + load.workload.path);
  launch.end_signal = SIGINT;  // it then reports as usual and ends with 1
  launch.end_status = 1;
  return launch;
}

GeneratorReport Ab::read_report(const Load&) {
  return parse_ab_report(read_file(file(".txt")).value_or(""),
                         read_file(file(".json")).value_or(""));
}

GeneratorReport parse_ab_report(const std::string& text, const std::string& percentiles) {
  GeneratorReport report;
  try {
    report.requests = Scan(text, "Complete requests:").count(0);
    report.duration_s = Scan(text, "Time taken for tests:").number(0);
    report.bytes = Scan(text, "Total transferred:").count(0);
    if (Scan::has(text, "Non-2xx responses:")) {
      report.errors_status = Scan(text, "Non-2xx responses:").count(0);
    }
    if (Scan(text, "Failed requests:").count(0) > 0) {
      // "   (Connect: 0, Receive: 0, Length: 3, Exceptions: 0)"
      report.errors_connect = Scan(text, "(Connect:").count(0);
      report.errors_read = Scan(text, "Receive:").count(0) + Scan(text, "Length:").count(0);
    }
    if (report.requests > 0) {
      // "90,0.123": per cent, milliseconds.
      const auto at = [&](const char* line) {
        std::string rows = percentiles;
        std::replace(rows.begin(), rows.end(), ',', ' ');
        return 1e3 * Scan(rows, std::string("\n") + line + " ").number(0);
      };
      report.latencies.p50_us = at("50");
      report.latencies.p90_us = at("90");
      report.latencies.p99_us = at("99");
      report.latencies.max_us = at("100");
    }
  } catch (const std::exception& error) {
    throw CellFailed(std::string("ab's report was not understood: ") + error.what());
  }
  report.absent["latency_us_mean"] =
      "ab's mean is clients x time / answers, so that Little's law holds whatever happened";
  return report;
}

}  // namespace archbench
