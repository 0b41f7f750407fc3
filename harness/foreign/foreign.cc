#include "harness/foreign/foreign.h"

#include <cmath>
#include <cstdio>

#include "harness/error.h"
#include "harness/generators/scan.h"
#include "harness/os/system.h"
#include "harness/plan/field.h"

namespace archbench {
namespace {

using nlohmann::json;

// "635.91us", "1.25ms", "2.00s", "1.02m" as microseconds; wrk's "m" is minutes.
std::optional<double> microseconds(const std::string& word) {
  std::size_t end = 0;
  double value = 0;
  try {
    value = std::stod(word, &end);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  const std::string unit = word.substr(end);
  if (unit == "us" || unit == "µs") return value;
  if (unit == "ms") return 1e3 * value;
  if (unit == "s" || unit == "secs") return 1e6 * value;
  if (unit == "m") return 60e6 * value;
  if (unit == "ns") return 1e-3 * value;
  return std::nullopt;
}

std::optional<double> time_in(const json& from, const char* name) {
  if (!from.contains(name) || !from[name].is_string()) return std::nullopt;
  return microseconds(from[name].get<std::string>());
}

double count_in(const json& from, const char* name) {
  return from.contains(name) && from[name].is_number() ? from[name].get<double>() : 0;
}

// {"rawData": {"plaintext": {"nginx": [{"latencyAvg": "1.2ms", "totalRequests": 1, ...}, ...]}},
//  "concurrencyLevels": [16, ...], "pipelineConcurrencyLevels": [256, ...], "duration": 15}
std::vector<ForeignRun> read_techempower(const json& all) {
  std::vector<ForeignRun> runs;
  const double duration = count_in(all, "duration");
  for (const auto& [test, frameworks] : all.at("rawData").items()) {
    if (!frameworks.is_object()) continue;
    const bool pipelined = test == "plaintext" || test == "cached-query-pipelined";
    // The query tests vary the number of queries instead and keep the largest concurrency.
    const bool by_queries = test == "query" || test == "update" || test == "cached-query";
    const json& levels = pipelined && all.contains("pipelineConcurrencyLevels")
                             ? all["pipelineConcurrencyLevels"]
                             : all.at("concurrencyLevels");
    for (const auto& [framework, levels_of_it] : frameworks.items()) {
      if (!levels_of_it.is_array()) continue;
      for (std::size_t i = 0; i < levels_of_it.size(); ++i) {
        const json& raw = levels_of_it[i];
        if (!raw.is_object() || !raw.contains("totalRequests")) continue;
        ForeignRun run;
        run.source = "techempower";
        run.name = test + "/" + framework + "/" + std::to_string(i);
        run.pipelined = pipelined;
        const json& level = by_queries ? levels.back() : i < levels.size() ? levels[i] : json();
        if (level.is_number()) run.clients = level.get<double>();
        if (duration > 0) run.duration_s = duration;
        run.requests = count_in(raw, "totalRequests");
        run.latency_mean_us = time_in(raw, "latencyAvg");
        run.latency_max_us = time_in(raw, "latencyMax");
        run.latency_stdev_us = time_in(raw, "latencyStdev");
        run.errors_connect = count_in(raw, "connect");
        run.errors_other = count_in(raw, "read") + count_in(raw, "write");
        run.errors_timeout = count_in(raw, "timeout");
        run.errors_status = count_in(raw, "5xx") + count_in(raw, "4xx");
        runs.push_back(std::move(run));
      }
    }
  }
  return runs;
}

// "  12 threads and 400 connections", "    Latency   635.91us    0.89ms  12.92ms   93.69%",
// "  22464657 requests in 30.00s, 17.76GB read", "  Socket errors: connect 0, read 0, ..."
ForeignRun read_wrk(const std::string& text) {
  ForeignRun run;
  run.source = "wrk";
  const Scan threads(text, "threads and");
  run.clients = threads.number(0);
  const Scan latency(text, "Latency  ");
  run.latency_mean_us = microseconds(latency.word(0));
  run.latency_stdev_us = microseconds(latency.word(1));
  run.latency_max_us = microseconds(latency.word(2));
  const std::size_t in = text.find(" requests in ");
  if (in == std::string::npos) throw Error("there is no line with \"requests in\"");
  const std::size_t line = text.rfind('\n', in) + 1;
  run.requests = static_cast<double>(Scan(text.substr(line), "").count(0));
  run.duration_s = 1e-6 * microseconds(Scan(text, " requests in").word(0)).value_or(0);
  run.reported_rps = Scan(text, "Requests/sec:").number(0);
  if (Scan::has(text, "Socket errors:")) {
    const Scan errors(text, "Socket errors:");
    run.errors_connect = errors.number(1);
    run.errors_other = errors.number(3) + errors.number(5);
    run.errors_timeout = errors.number(7);
  }
  if (Scan::has(text, "Non-2xx or 3xx responses:")) {
    run.errors_status = Scan(text, "Non-2xx or 3xx responses:").number(0);
  }
  return run;
}

ForeignRun read_h2load(const std::string& text) {
  ForeignRun run;
  run.source = "h2load";
  if (Scan::has(text, "spawning thread #0:")) {
    run.clients = Scan(text, "spawning thread #0:").number(0);
    if (Scan::has(text, "spawning thread #1:")) run.clients = std::nullopt;  // a part of them each
  }
  const Scan finished(text, "finished in");
  run.duration_s = 1e-6 * microseconds(finished.word(0)).value_or(0);
  run.reported_rps = finished.number(1);
  const Scan requests(text, "requests:");
  run.requests = static_cast<double>(requests.count_before("done"));
  run.errors_other = static_cast<double>(requests.count_before("errored"));
  run.errors_timeout = static_cast<double>(requests.count_before("timeout"));
  const Scan statuses(text, "status codes:");
  run.errors_status =
      static_cast<double>(statuses.count_before("4xx") + statuses.count_before("5xx"));
  const Scan times(text, "time for request:");
  run.latency_max_us = microseconds(times.word(1));
  run.latency_mean_us = microseconds(times.word(2));
  run.latency_stdev_us = microseconds(times.word(3));
  return run;
}

// oha's text: "Total:\t10.0 secs", "Slowest:", "Average:", "Requests/sec:", and
// "Status code distribution:" with "[200] 123 responses".
ForeignRun read_oha(const std::string& text) {
  ForeignRun run;
  run.source = "oha";
  const auto seconds = [&](const char* name) {
    const Scan line(text, name);
    const std::string unit = line.word(1);
    return line.number(0) * (unit.starts_with("ms") ? 1e-3 : unit.starts_with("us") ? 1e-6 : 1);
  };
  run.duration_s = seconds("Total:");
  run.latency_max_us = 1e6 * seconds("Slowest:");
  run.latency_mean_us = 1e6 * seconds("Average:");
  run.reported_rps = Scan(text, "Requests/sec:").number(0);
  double answers = 0;
  for (std::size_t at = text.find("\n  ["); at != std::string::npos;
       at = text.find("\n  [", at + 1)) {
    const Scan line(text.substr(at + 1), "]");
    if (!Scan::has(text.substr(at, 60), "responses")) continue;
    answers += line.number(0);
    if (text.compare(at + 4, 1, "4") >= 0) run.errors_status += line.number(0);
  }
  run.requests = answers;
  return run;
}

ForeignRun read_oha_json(const json& all) {
  ForeignRun run;
  run.source = "oha";
  const json& summary = all.at("summary");
  run.duration_s = count_in(summary, "total");
  run.latency_max_us = 1e6 * count_in(summary, "slowest");
  run.latency_mean_us = 1e6 * count_in(summary, "average");
  run.reported_rps = count_in(summary, "requestsPerSec");
  double answers = 0;
  for (const auto& [status, count] : all.at("statusCodeDistribution").items()) {
    answers += count.get<double>();
    if (status >= "400") run.errors_status += count.get<double>();
  }
  run.requests = answers;
  const json errors = all.value("errorDistribution", json::object());
  for (const auto& [what, count] : errors.items()) {
    (what.find("onnect") != std::string::npos ? run.errors_connect : run.errors_other) +=
        count.get<double>();
  }
  return run;
}

}  // namespace

std::vector<ForeignRun> read_foreign(const std::string& text, const std::string& origin,
                                     std::optional<double> clients) {
  std::vector<ForeignRun> runs;
  try {
    if (const std::size_t first = text.find_first_not_of(" \t\r\n");
        first != std::string::npos && text[first] == '{') {
      const json all = parse_json(text, origin);
      if (all.contains("rawData")) {
        runs = read_techempower(all);
      } else if (all.contains("statusCodeDistribution")) {
        runs = {read_oha_json(all)};
      }
    } else if (Scan::has(text, "time for request:")) {
      runs = {read_h2load(text)};
    } else if (Scan::has(text, "Slowest:")) {
      runs = {read_oha(text)};
    } else if (Scan::has(text, "threads and")) {
      runs = {read_wrk(text)};
    }
  } catch (const json::exception& error) {
    throw Error(origin + ": not understood: " + error.what());
  } catch (const Error& error) {
    throw Error(origin + ": not understood: " + error.what());
  }
  if (runs.empty()) {
    throw Error(origin +
                ": expected TechEmpower's results.json, or what wrk, oha or h2load printed");
  }
  for (ForeignRun& run : runs) {
    if (run.name.empty()) run.name = origin;
    if (!run.clients) run.clients = clients;
  }
  return runs;
}

}  // namespace archbench
