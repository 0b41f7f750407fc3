#include "harness/generators/stload_driver.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/error.h"
#include "harness/os/system.h"

namespace archbench {
namespace {

using nlohmann::json;

std::optional<double> number(const json& from, const char* name) {
  if (!from.contains(name)) return std::nullopt;
  return from.at(name).get<double>();
}

Latencies latencies_of(const json& distribution) {
  Latencies known{number(distribution, "mean"), number(distribution, "p50"),
                  number(distribution, "p90"),  number(distribution, "p99"),
                  number(distribution, "p999"), number(distribution, "max")};
  // Whole microseconds here; several buckets may become one.
  for (const json& pair : distribution.value("histogram", json::array())) {
    const auto value = static_cast<std::uint64_t>(std::llround(pair.at(0).get<double>()));
    const auto count = pair.at(1).get<std::uint64_t>();
    if (!known.buckets.empty() && known.buckets.back().latency_us == value) {
      known.buckets.back().count += count;
    } else {
      known.buckets.push_back({value, count});
    }
  }
  return known;
}

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

}  // namespace

GeneratorProcess::Launch Stload::prepare(const Load& load) {
  const Workload& workload = load.workload;
  const int processes = std::min(load.clients, static_cast<int>(load.cpus.size()));
  Launch launch;
  launch.command = {
      program().string(),        "--clients", std::to_string(load.clients), "--processes",
      std::to_string(processes), "--warmup",  decimal(load.warmup_s),       "--duration",
      decimal(load.longest_s),   "--json",    file(".json").string()};
  if (!workload.keepalive) launch.command.push_back("--connection-per-request");
  if (workload.rate > 0)
    launch.command.insert(launch.command.end(), {"--rate", decimal(workload.rate)});
  if (!workload.mix.empty()) {
    const auto path = file(".mix.json");
    json mix{{"paths", json::array()}};
    for (const auto& [target, weight] : workload.mix) {
      mix["paths"].push_back({{"path", target}, {"weight", weight}});
    }
    std::ofstream(path) << mix.dump() << "\n";
    launch.command.insert(launch.command.end(), {"--mix", path.string()});
  }
  launch.command.push_back(load.url + workload.path);
  launch.threads = processes;
  launch.end_signal = SIGINT;
  // Answers under way are waited for.
  launch.patience_s = 20;
  return launch;
}

GeneratorReport Stload::read_report(const Load&) {
  const auto report = read_file(file(".json"));
  if (!report) throw CellFailed("stload wrote no report");
  return parse_stload_report(*report);
}

GeneratorReport parse_stload_report(const std::string& json_text) {
  GeneratorReport report;
  try {
    const json all = json::parse(json_text);
    const json& run = all.at("run");
    const json& window = all.at("window");
    const json& errors = run.at("errors");
    const auto error = [&](const char* name) { return errors.at(name).get<std::uint64_t>(); };
    report.requests = run.at("answers").get<std::uint64_t>();
    report.bytes = run.at("bytes_read").get<std::uint64_t>();
    report.duration_s = run.at("duration_s").get<double>();
    report.errors_connect = error("connect");
    report.errors_read = error("read") + error("closed") + error("malformed") + error("wrong_body");
    report.errors_write = error("write");
    report.errors_timeout = error("timeout");
    for (const auto& [status, count] : run.at("statuses").items()) {
      if (status >= "400") report.errors_status += count.get<std::uint64_t>();
    }
    const bool open = all.at("load").at("kind") != "closed";
    (open ? report.intended : report.latencies) = latencies_of(all.at("latency_us"));
    if (open) report.absent["latency_us_mean"] = "open loop: see latency_intended_us";
    // Latencies are of the window's requests alone; idle and slow clients are not among them.
    report.latency_rps = number(window, "completed_rps");
    if (all.contains("send_lag_us")) report.send_lag_us_p99 = number(all["send_lag_us"], "p99");
    const json& clients = all.at("clients");
    report.jain_index = number(clients, "jain_index");
    report.slowest_client_requests = clients.at("answers_min").get<std::uint64_t>();
    report.clients_served = clients.at("served").get<std::uint64_t>();
  } catch (const json::exception& error) {
    throw CellFailed(std::string("stload's report was not understood: ") + error.what());
  }
  return report;
}

}  // namespace archbench
