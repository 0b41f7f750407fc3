#include "harness/generators/h2load.h"

#include <cmath>

#include "harness/error.h"
#include "harness/generators/scan.h"
#include "harness/os/system.h"

namespace archbench {
namespace {

// "177us", "17.21ms", "1.05s" as microseconds.
double microseconds(const std::string& word) {
  std::size_t end = 0;
  const double value = std::stod(word, &end);
  const std::string unit = word.substr(end);
  if (unit == "us") return value;
  if (unit == "ms") return 1e3 * value;
  if (unit == "s") return 1e6 * value;
  throw CellFailed("h2load's time \"" + word + "\" was not understood");
}

}  // namespace

GeneratorProcess::Launch H2load::prepare(const Load& load) {
  if (!load.workload.keepalive) {
    // Its clients then reconnect for ever and it never ends (seen with 1.52).
    throw CellFailed("h2load cannot make a connection for each request; use wrk, stload or ab");
  }
  const int threads = even_threads(load.clients, load.cpus.size());
  const auto duration = static_cast<long>(std::ceil(load.least_s));
  Launch launch;
  launch.command = {program().string(),
                    "--h1",
                    "--clients",
                    std::to_string(load.clients),
                    "--threads",
                    std::to_string(threads),
                    "--duration",
                    std::to_string(duration),
                    load.url + load.workload.path};
  launch.threads = threads;
  // It cannot be asked to end earlier with a report, so finish() waits.
  launch.patience_s = static_cast<double>(duration) + 10;
  return launch;
}

GeneratorReport H2load::read_report(const Load&) {
  return parse_h2load_report(read_file(file(".txt")).value_or(""));
}

GeneratorReport parse_h2load_report(const std::string& text) {
  // "finished in 1.00s, 45090.00 req/s, 50.05MB/s"
  // "requests: 45090 total, 45098 started, 45090 done, 45090 succeeded, 0 failed, 0 errored, 0
  // timeout" "status codes: 45090 2xx, 0 3xx, 0 4xx, 0 5xx" "traffic: 50.05MB (52484760) total,
  // ..." "time for request:       36us     17.21ms       177us       517us    97.92%": min max mean
  // sd
  GeneratorReport report;
  try {
    const Scan requests(text, "requests:");
    report.duration_s = 1e-6 * microseconds(Scan(text, "finished in").word(0));
    report.requests = requests.count_before("done");
    report.errors_timeout = requests.count_before("timeout");
    report.errors_read = requests.count_before("errored");
    const Scan statuses(text, "status codes:");
    report.errors_status = statuses.count_before("4xx") + statuses.count_before("5xx");
    report.bytes = Scan(text, "traffic:").count_in_brackets();
    const Scan times(text, "time for request:");
    report.latencies.max_us = microseconds(times.word(1));
    report.latencies.mean_us = microseconds(times.word(2));
  } catch (const std::exception& error) {
    throw CellFailed(std::string("h2load's report was not understood: ") + error.what());
  }
  report.absent["latency_us_p50"] = "h2load tells the mean and the maximum only";
  return report;
}

}  // namespace archbench
