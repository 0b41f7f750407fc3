#include "harness/result.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "harness/gates.h"

namespace archbench {
namespace {

using nlohmann::ordered_json;

std::optional<double> ratio(double part, double whole) {
  if (!(whole > 0)) return std::nullopt;
  return part / whole;
}

void measure_window(const Observation& seen, Measurements& m, std::vector<Warning>& warnings) {
  const Moment& begin = seen.window_begin;
  const Moment& end = seen.window_end;
  const double duration = end.time_s - begin.time_s;
  const auto requests = static_cast<double>(end.counters.requests - begin.counters.requests);
  const double cpu = std::max(0.0, end.server_cpu_s - begin.server_cpu_s);
  m.duration_s = duration;
  m.requests = end.counters.requests - begin.counters.requests;
  m.bytes = end.counters.bytes - begin.counters.bytes;
  m.throughput_rps = ratio(requests, duration);
  m.server_cpu_s = cpu;
  m.server_cpu_share = ratio(cpu, duration * seen.cell.cpus);
  m.cpu_us_per_request = ratio(1e6 * cpu, requests);
  m.requests_per_cpu_s = ratio(requests, cpu);
  m.connections_open = end.counters.connections - end.counters.closed;
  if (requests == 0) warnings.push_back(Warning::server_idle);

  const double total = end.machine.total_s - begin.machine.total_s;
  const double known =
      cpu + (end.generator_cpu_s - begin.generator_cpu_s) + (end.own_cpu_s - begin.own_cpu_s);
  const double foreign = end.machine.busy_s - begin.machine.busy_s - known;
  m.steal_share = ratio(std::max(0.0, end.machine.steal_s - begin.machine.steal_s), total);
  m.foreign_cpu_share = ratio(std::max(0.0, foreign), total);
}

// Memory, vehicles, the user/system split and context switches.
void measure_census(const Observation& seen, Measurements& m, std::vector<Warning>& warnings) {
  const Census& first = seen.first_census.census;
  const Census& second = seen.second_census.census;
  m.server_rss_bytes = second.rss_bytes;
  m.server_processes = second.processes;
  m.server_threads = second.threads;

  // The split is believed when the ticks hold at least this part of the precise CPU time.
  constexpr double kTicksCover = 0.8;
  const auto user = static_cast<double>(second.user_ticks) - static_cast<double>(first.user_ticks);
  const auto system =
      static_cast<double>(second.system_ticks) - static_cast<double>(first.system_ticks);
  const double ticks_s = (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  if (user >= 0 && system >= 0 && ticks_s > 0 &&
      ticks_s >= kTicksCover * (second.cpu_s - first.cpu_s)) {
    m.server_user_share = user / (user + system);
  } else {
    warnings.push_back(Warning::user_share_withheld);
  }

  const auto requests = static_cast<double>(seen.second_census.counters.requests -
                                            seen.first_census.counters.requests);
  // Vehicles that were born and died between the censuses show only in the machine's count of
  // forks, which others add to as well; up to one in a hundred requests they cannot change the
  // picture.
  const auto forks = static_cast<double>(second.machine_forks - first.machine_forks);
  if (requests > 0 && first.vehicles == second.vehicles && forks <= 0.01 * requests) {
    m.voluntary_switches_per_request =
        static_cast<double>(second.voluntary_switches - first.voluntary_switches) / requests;
    m.involuntary_switches_per_request =
        static_cast<double>(second.involuntary_switches - first.involuntary_switches) / requests;
  } else if (requests > 0) {
    warnings.push_back(Warning::switches_withheld);
  }
}

void measure_generator(const Observation& seen, Measurements& m, std::vector<Warning>& warnings) {
  constexpr std::uint64_t kEnoughForP99 = 10'000, kEnoughForP999 = 100'000;
  const GeneratorReport& report = seen.report;
  m.generator_requests = report.requests;
  m.generator_throughput_rps = ratio(static_cast<double>(report.requests), report.duration_s);
  m.generator_cpu_s = seen.generator_stop.generator_cpu_s;
  const double run = seen.generator_stop.time_s - seen.generator_start.time_s;
  m.generator_cpu_share = ratio(*m.generator_cpu_s, run * seen.generator_threads);
  m.served_connections = seen.final_counters.served - seen.baseline.served;
  m.errors_connect = report.errors_connect;
  m.errors_read = report.errors_read;
  m.errors_write = report.errors_write;
  m.errors_timeout = report.errors_timeout;
  m.errors_status = report.errors_status;

  const std::uint64_t answers = total_count(report.latency);
  if (answers == 0) {
    warnings.push_back(Warning::latency_unknown);
    return;
  }
  m.latency_us_mean = mean_us(report.latency);
  m.latency_us_p50 = percentile_us(report.latency, 0.5);
  m.latency_us_p90 = percentile_us(report.latency, 0.9);
  m.latency_us_max = static_cast<double>(report.latency.back().latency_us);
  if (answers >= kEnoughForP99) {
    m.latency_us_p99 = percentile_us(report.latency, 0.99);
  } else {
    warnings.push_back(Warning::p99_withheld);
  }
  if (answers >= kEnoughForP999) {
    m.latency_us_p999 = percentile_us(report.latency, 0.999);
  } else {
    warnings.push_back(Warning::p999_withheld);
  }
  if (!seen.cell.workload.keepalive) warnings.push_back(Warning::latency_excludes_connect);
}

void put(ordered_json& json, const char* name, const std::optional<double>& value) {
  if (value && std::isfinite(*value)) json[name] = *value;
}

void put(ordered_json& json, const char* name, const std::optional<std::uint64_t>& value) {
  if (value) json[name] = *value;
}

ordered_json to_json(const Measurements& m) {
  ordered_json json = ordered_json::object();
  put(json, "duration_s", m.duration_s);
  put(json, "requests", m.requests);
  put(json, "bytes", m.bytes);
  put(json, "throughput_rps", m.throughput_rps);
  put(json, "generator_requests", m.generator_requests);
  put(json, "generator_throughput_rps", m.generator_throughput_rps);
  put(json, "server_cpu_s", m.server_cpu_s);
  put(json, "server_user_share", m.server_user_share);
  put(json, "server_cpu_share", m.server_cpu_share);
  put(json, "cpu_us_per_request", m.cpu_us_per_request);
  put(json, "requests_per_cpu_s", m.requests_per_cpu_s);
  put(json, "generator_cpu_s", m.generator_cpu_s);
  put(json, "generator_cpu_share", m.generator_cpu_share);
  put(json, "latency_us_mean", m.latency_us_mean);
  put(json, "latency_us_p50", m.latency_us_p50);
  put(json, "latency_us_p90", m.latency_us_p90);
  put(json, "latency_us_p99", m.latency_us_p99);
  put(json, "latency_us_p999", m.latency_us_p999);
  put(json, "latency_us_max", m.latency_us_max);
  put(json, "served_connections", m.served_connections);
  put(json, "connections_open", m.connections_open);
  put(json, "server_rss_bytes", m.server_rss_bytes);
  put(json, "server_processes", m.server_processes);
  put(json, "server_threads", m.server_threads);
  put(json, "voluntary_switches_per_request", m.voluntary_switches_per_request);
  put(json, "involuntary_switches_per_request", m.involuntary_switches_per_request);
  put(json, "errors_connect", m.errors_connect);
  put(json, "errors_read", m.errors_read);
  put(json, "errors_write", m.errors_write);
  put(json, "errors_timeout", m.errors_timeout);
  put(json, "errors_status", m.errors_status);
  put(json, "steal_share", m.steal_share);
  put(json, "foreign_cpu_share", m.foreign_cpu_share);
  return json;
}

ordered_json to_json(const Gate& gate) {
  const char* verdict = gate.verdict == Verdict::pass   ? "pass"
                        : gate.verdict == Verdict::fail ? "fail"
                                                        : "unknown";
  ordered_json json{{"name", gate.name},
                    {"verdict", verdict},
                    {"effect", gate.effect == Effect::invalidates ? "invalidates" : "labels"}};
  put(json, "value", gate.value);
  put(json, "limit", gate.limit);
  json["text"] = gate.text;
  return json;
}

ordered_json to_json(const Provenance& from) {
  ordered_json json{{"server_command", from.server_command},
                    {"generator_command", from.generator_command},
                    {"server_cpu_list", from.server_cpu_list},
                    {"generator_cpu_list", from.generator_cpu_list},
                    {"seed", from.seed},
                    {"raw", from.raw}};
  if (!from.server_binary_sha256.empty()) json["server_binary_sha256"] = from.server_binary_sha256;
  if (!from.commit.empty()) json["commit"] = from.commit;
  if (from.dirty) json["dirty"] = *from.dirty;
  return json;
}

}  // namespace

Result conclude(const Observation& seen) {
  Result result;
  result.cell = seen.cell;
  measure_window(seen, result.measurements, result.warnings);
  measure_census(seen, result.measurements, result.warnings);
  measure_generator(seen, result.measurements, result.warnings);
  if (seen.generator_shares_cpus) result.warnings.push_back(Warning::generator_shares_cpus);
  if (!seen.all_connected) result.warnings.push_back(Warning::not_all_connected);
  if (!seen.server_stopped) result.warnings.push_back(Warning::server_did_not_stop);
  result.gates = judge(seen, result.measurements);
  return result;
}

ordered_json to_json(const Result& result) {
  const Cell& cell = result.cell;
  ordered_json json{{"schema", "archbench.cell/1"},
                    {"cell", cell.id()},
                    {"architecture", cell.server.architecture},
                    {"model", cell.server.model},
                    {"label", cell.server.label},
                    {"workload", cell.workload.name},
                    {"clients", cell.clients},
                    {"cpus", cell.cpus},
                    {"block", cell.block},
                    {"order", cell.order},
                    {"status", result.failure.empty() ? "ok" : "failed"}};
  if (!result.failure.empty()) json["reason"] = result.failure;
  json["started_utc"] = result.started_utc;
  json["measurements"] = to_json(result.measurements);
  json["gates"] = ordered_json::array();
  for (const Gate& gate : result.gates) json["gates"].push_back(to_json(gate));
  json["warnings"] = ordered_json::array();
  for (const Warning warning : result.warnings) {
    json["warnings"].push_back({{"code", warning_code(warning)}, {"text", warning_text(warning)}});
  }
  json["provenance"] = to_json(result.provenance);
  return json;
}

}  // namespace archbench
