#include "harness/generators/wrk.h"

#include <cmath>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/error.h"
#include "harness/os/subprocess.h"
#include "harness/os/system.h"

namespace archbench {
namespace {

// Answers later than this are left out of the histogram. Long enough for a starved client to be
// seen in it; wrk reserves 8 bytes for each microsecond of it, of which only the used pages become
// resident.
constexpr const char* kTimeout = "10s";

constexpr const char* kReportVariable = "ARCHBENCH_WRK_REPORT";  // report.lua reads these
constexpr const char* kMixVariable = "ARCHBENCH_WRK_MIX";

}  // namespace

std::string wrk_mix(const std::vector<WeightedPath>& mix) {
  std::string text;
  for (const auto& [path, weight] : mix) {
    char number[32];
    std::snprintf(number, sizeof number, "%.17g ", weight);
    text += number + path + "\n";
  }
  return text;
}

Wrk::Launch Wrk::prepare(const Load& load) {
  // wrk gives every thread clients/threads connections and silently opens no others.
  const int threads = even_threads(load.clients, load.cpus.size());
  Launch launch;
  launch.command = {program().string(), "--threads", std::to_string(threads), "--connections",
                    std::to_string(load.clients),
                    // wrk knows whole seconds only; finish() ends it when the window has passed.
                    "--duration",
                    std::to_string(static_cast<long>(std::ceil(load.longest_s))) + "s", "--timeout",
                    kTimeout, "--script", script_.string()};
  if (!load.workload.keepalive) {
    // wrk ignores a header without a space behind the colon.
    launch.command.insert(launch.command.end(), {"--header", "Connection: close"});
  }
  launch.command.push_back(load.url + load.workload.path);
  launch.threads = threads;
  launch.environment = {{kReportVariable, file(".json").string()},
                        {kMixVariable, wrk_mix(load.workload.mix)}};
  // wrk answers SIGINT by stopping its threads (they look every 100 ms) and reporting as usual.
  // Walking a histogram of many clients takes it a moment more.
  launch.end_signal = SIGINT;
  return launch;
}

GeneratorReport Wrk::read_report(const Load& load) {
  const auto report = read_file(file(".json"));
  if (!report) throw CellFailed("wrk wrote no report");
  return parse_wrk_report(*report, load.clients);
}

Histogram uncorrect(const Histogram& corrected, std::uint64_t expected_us) {
  if (expected_us == 0) return corrected;  // wrk would have looped for ever; it never happens
  Histogram raw;
  auto later = corrected.begin();  // walks to the first entry at or above latency + e
  for (const auto& [latency_us, count] : corrected) {
    std::uint64_t added = 0;
    if (latency_us > expected_us) {
      while (later != corrected.end() && later->latency_us < latency_us + expected_us) ++later;
      if (later != corrected.end() && later->latency_us == latency_us + expected_us) {
        added = later->count;
      }
    }
    if (added > count) {
      throw CellFailed("wrk's latency correction could not be removed: " + std::to_string(count) +
                       " answers at " + std::to_string(latency_us) + " us, of which " +
                       std::to_string(added) + " would have been added");
    }
    if (count > added) raw.push_back({latency_us, count - added});
  }
  return raw;
}

GeneratorReport parse_wrk_report(const std::string& json_text, int clients) {
  GeneratorReport report;
  try {
    const auto json = nlohmann::json::parse(json_text);
    const auto& errors = json.at("errors");
    report.requests = json.at("requests").get<std::uint64_t>();
    report.bytes = json.at("bytes").get<std::uint64_t>();
    report.errors_connect = errors.at("connect").get<std::uint64_t>();
    report.errors_read = errors.at("read").get<std::uint64_t>();
    report.errors_write = errors.at("write").get<std::uint64_t>();
    report.errors_timeout = errors.at("timeout").get<std::uint64_t>();
    report.errors_status = errors.at("status").get<std::uint64_t>();
    const auto duration_us = json.at("duration_us").get<std::uint64_t>();
    report.duration_s = 1e-6 * static_cast<double>(duration_us);
    for (const auto& pair : json.at("latency_us")) {
      report.latency.push_back({pair.at(0).get<std::uint64_t>(), pair.at(1).get<std::uint64_t>()});
    }
    // The same integer divisions as in wrk, so that e is the same number; below one answer for each
    // connection it corrects nothing.
    const std::uint64_t each = report.requests / static_cast<std::uint64_t>(clients);
    if (each > 0) report.latency = uncorrect(report.latency, duration_us / each);
  } catch (const nlohmann::json::exception& error) {
    throw CellFailed(std::string("wrk's report was not understood: ") + error.what());
  }
  // Every answer is in the histogram or was too late for it. Should the correction have been made
  // in another way, this would not come out even.
  const std::uint64_t recorded = total_count(report.latency) + report.errors_timeout;
  if (recorded != report.requests) {
    throw CellFailed("wrk's latencies do not add up: " + std::to_string(report.requests) +
                     " answers, but " + std::to_string(recorded) + " of them have a latency");
  }
  return report;
}

}  // namespace archbench
