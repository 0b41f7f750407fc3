#include "harness/cell/measure.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace archbench {
namespace {

using nlohmann::ordered_json;
using Absent = std::map<std::string, std::string>;

std::optional<double> ratio(double part, double whole) {
  if (!(whole > 0)) return std::nullopt;
  return part / whole;
}

// The window, for a server that counts; for one that does not the generator's whole run, because
// only for that it is known how many answers there were.
void measure_window(const Observation& seen, Measurements& m, std::vector<Warning>& warnings) {
  const bool counts = seen.server_counts;
  const Moment& begin = counts ? seen.window_begin : seen.generator_start;
  const Moment& end = counts ? seen.window_end : seen.generator_stop;
  const double duration = end.time_s - begin.time_s;
  m.requests = counts ? end.counters.requests - begin.counters.requests : seen.report.requests;
  const auto requests = static_cast<double>(*m.requests);
  const double cpu = std::max(0.0, end.server_cpu_s - begin.server_cpu_s);
  m.duration_s = duration;
  m.throughput_rps = ratio(requests, duration);
  m.server_cpu_s = cpu;
  m.server_cpu_share = ratio(cpu, duration * seen.cell.cpus);
  m.cpu_us_per_request = ratio(1e6 * cpu, requests);
  m.requests_per_cpu_s = ratio(requests, cpu);
  m.system_us_per_request = ratio(1e6 * (end.machine.system_s - begin.machine.system_s), requests);
  if (counts) {
    m.bytes = end.counters.bytes - begin.counters.bytes;
    m.connections_open = end.counters.connections - end.counters.closed;
  }
  m.connections_established = seen.established;
  if (requests == 0) warnings.push_back(Warning::server_idle);
  m.ceiling_rps = seen.ceiling_rps;
  if (seen.ceiling_rps) m.ceiling_share = ratio(*m.throughput_rps, *seen.ceiling_rps);

  const double total = end.machine.total_s - begin.machine.total_s;
  const double generator =
      seen.generator_elsewhere ? 0 : end.generator_cpu_s - begin.generator_cpu_s;
  const double known = cpu + generator + (end.own_cpu_s - begin.own_cpu_s);
  const bool all_seen = begin.machine.programs_s && end.machine.programs_s;
  const double busy = all_seen ? *end.machine.programs_s - *begin.machine.programs_s
                               : end.machine.busy_s - begin.machine.busy_s;
  const double foreign = busy - known;
  m.steal_share = ratio(std::max(0.0, end.machine.steal_s - begin.machine.steal_s), total);
  // Programs are added up one after the other: on a full machine the sum may be a little more than
  // the machine has.
  m.foreign_cpu_share = ratio(std::clamp(foreign, 0.0, std::max(total, 0.0)), total);
  m.harness_cpu_share = ratio(std::max(0.0, end.own_cpu_s - begin.own_cpu_s), total);
}

// Memory, vehicles, the user/system split and context switches.
void measure_census(const Observation& seen, Measurements& m, std::vector<Warning>& warnings,
                    Absent& absent) {
  const Census& first = seen.first_census.census;
  const Census& second = seen.second_census.census;
  m.server_rss_bytes = second.rss_bytes;
  m.server_pss_bytes = second.pss_bytes;
  m.server_processes = second.processes;
  m.server_threads = second.threads;
  if (!second.pss_bytes) absent["server_pss_bytes"] = "the kernel shows no smaps_rollup";
  if (second.pss_bytes && seen.idle_census.pss_bytes && m.connections_open.value_or(0) > 0) {
    const double more =
        static_cast<double>(*second.pss_bytes) - static_cast<double>(*seen.idle_census.pss_bytes);
    m.memory_bytes_per_connection = std::max(0.0, more) / static_cast<double>(*m.connections_open);
  }

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
  if (seen.syscalls) {
    m.syscalls_per_request = ratio(static_cast<double>(seen.syscalls->calls),
                                   static_cast<double>(seen.syscalls->requests));
  }
}

void measure_latency(const Observation& seen, Measurements& m, std::vector<Warning>& warnings) {
  constexpr std::uint64_t kEnoughForP99 = 10'000, kEnoughForP999 = 100'000;
  const GeneratorReport& report = seen.report;
  const std::uint64_t answers =
      report.latency.empty() ? report.requests : total_count(report.latency);
  Latencies said = report.latencies;
  if (!report.latency.empty()) {
    said = {mean_us(report.latency),
            percentile_us(report.latency, 0.5),
            percentile_us(report.latency, 0.9),
            percentile_us(report.latency, 0.99),
            percentile_us(report.latency, 0.999),
            static_cast<double>(report.latency.back().latency_us)};
  }
  if (answers == 0) {
    warnings.push_back(Warning::latency_unknown);
    return;
  }
  if (answers < kEnoughForP99) {
    warnings.push_back(Warning::p99_withheld);
    said.p99_us = std::nullopt;
  }
  if (answers < kEnoughForP999) {
    warnings.push_back(Warning::p999_withheld);
    said.p999_us = std::nullopt;
  }
  m.latency_us_mean = said.mean_us;
  m.latency_us_p50 = said.p50_us;
  m.latency_us_p90 = said.p90_us;
  m.latency_us_p99 = said.p99_us;
  m.latency_us_p999 = said.p999_us;
  m.latency_us_max = said.max_us;
  m.latency_intended_us_mean = report.intended.mean_us;
  m.latency_intended_us_p50 = report.intended.p50_us;
  m.latency_intended_us_p90 = report.intended.p90_us;
  m.latency_intended_us_p99 = report.intended.p99_us;
  m.latency_intended_us_p999 = report.intended.p999_us;
  m.latency_intended_us_max = report.intended.max_us;
  if (!seen.cell.workload.keepalive) warnings.push_back(Warning::latency_excludes_connect);
}

void measure_generator(const Observation& seen, Measurements& m) {
  const GeneratorReport& report = seen.report;
  m.generator_requests = report.requests;
  m.generator_throughput_rps = ratio(static_cast<double>(report.requests), report.duration_s);
  m.generator_cpu_s = seen.generator_stop.generator_cpu_s;
  const double run = seen.generator_stop.time_s - seen.generator_start.time_s;
  m.generator_cpu_share = ratio(*m.generator_cpu_s, run * seen.generator_threads);
  if (const auto& workers = seen.generator_workers_s; !workers.empty()) {
    m.generator_busiest_thread_share =
        ratio(*std::max_element(workers.begin(), workers.end()), run);
    m.generator_idlest_thread_share = ratio(*std::min_element(workers.begin(), workers.end()), run);
  }
  if (seen.server_counts) {
    m.served_connections = seen.final_counters.served - seen.baseline.served;
  } else {
    m.served_connections = report.clients_served;
  }
  m.send_lag_us_p99 = report.send_lag_us_p99;
  m.jain_index = report.jain_index;
  m.slowest_client_requests = report.slowest_client_requests;
  m.errors_connect = report.errors_connect;
  m.errors_read = report.errors_read;
  m.errors_write = report.errors_write;
  m.errors_timeout = report.errors_timeout;
  m.errors_status = report.errors_status;
}

void measure_kernel(const Observation& seen, Measurements& m, Absent& absent) {
  const KernelCounts& before = seen.kernel_before;
  const KernelCounts& after = seen.generator_stop.kernel;
  const auto grown = [&](const char* name, const auto& a, const auto& b, const char* why) {
    std::decay_t<decltype(a)> difference;
    if (a && b && *b >= *a) {
      difference = *b - *a;
    } else {
      absent[name] = why;
    }
    return difference;
  };
  const char* no_count = "the kernel shows no such count in /proc/net";
  m.listen_overflows =
      grown("listen_overflows", before.listen_overflows, after.listen_overflows, no_count);
  m.listen_drops = grown("listen_drops", before.listen_drops, after.listen_drops, no_count);
  m.retransmits = grown("retransmits", before.retransmits, after.retransmits, no_count);
  m.throttled_s = grown("throttled_s", before.throttled_s, after.throttled_s,
                        "there is no control group with CPU accounts here");
  m.clock_step_s = std::abs(after.clock_offset_s - before.clock_offset_s);
}

void put(ordered_json& json, const char* name, const std::optional<double>& value) {
  if (value && std::isfinite(*value)) json[name] = *value;
}

void put(ordered_json& json, const char* name, const std::optional<std::uint64_t>& value) {
  if (value) json[name] = *value;
}

}  // namespace

Measurements measure(const Observation& seen, const Steadiness& steadiness,
                     std::vector<Warning>& warnings, Absent& absent) {
  absent.insert(seen.absent.begin(), seen.absent.end());
  absent.insert(seen.report.absent.begin(), seen.report.absent.end());
  Measurements m;
  measure_window(seen, m, warnings);
  measure_census(seen, m, warnings, absent);
  measure_generator(seen, m);
  measure_latency(seen, m, warnings);
  measure_kernel(seen, m, absent);
  if (!m.jain_index) absent.try_emplace("jain_index", "this generator does not count by client");
  if (steadiness.settled_s) {
    m.settled_after_s = std::max(0.0, *steadiness.settled_s - seen.generator_start.time_s);
  }
  return m;
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
  put(json, "system_us_per_request", m.system_us_per_request);
  put(json, "generator_cpu_s", m.generator_cpu_s);
  put(json, "generator_cpu_share", m.generator_cpu_share);
  put(json, "generator_busiest_thread_share", m.generator_busiest_thread_share);
  put(json, "generator_idlest_thread_share", m.generator_idlest_thread_share);
  put(json, "ceiling_rps", m.ceiling_rps);
  put(json, "ceiling_share", m.ceiling_share);
  put(json, "latency_us_mean", m.latency_us_mean);
  put(json, "latency_us_p50", m.latency_us_p50);
  put(json, "latency_us_p90", m.latency_us_p90);
  put(json, "latency_us_p99", m.latency_us_p99);
  put(json, "latency_us_p999", m.latency_us_p999);
  put(json, "latency_us_max", m.latency_us_max);
  put(json, "latency_intended_us_mean", m.latency_intended_us_mean);
  put(json, "latency_intended_us_p50", m.latency_intended_us_p50);
  put(json, "latency_intended_us_p90", m.latency_intended_us_p90);
  put(json, "latency_intended_us_p99", m.latency_intended_us_p99);
  put(json, "latency_intended_us_p999", m.latency_intended_us_p999);
  put(json, "latency_intended_us_max", m.latency_intended_us_max);
  put(json, "send_lag_us_p99", m.send_lag_us_p99);
  put(json, "jain_index", m.jain_index);
  put(json, "slowest_client_requests", m.slowest_client_requests);
  put(json, "served_connections", m.served_connections);
  put(json, "connections_open", m.connections_open);
  put(json, "connections_established", m.connections_established);
  put(json, "server_rss_bytes", m.server_rss_bytes);
  put(json, "server_pss_bytes", m.server_pss_bytes);
  put(json, "memory_bytes_per_connection", m.memory_bytes_per_connection);
  put(json, "server_processes", m.server_processes);
  put(json, "server_threads", m.server_threads);
  put(json, "voluntary_switches_per_request", m.voluntary_switches_per_request);
  put(json, "involuntary_switches_per_request", m.involuntary_switches_per_request);
  put(json, "syscalls_per_request", m.syscalls_per_request);
  put(json, "errors_connect", m.errors_connect);
  put(json, "errors_read", m.errors_read);
  put(json, "errors_write", m.errors_write);
  put(json, "errors_timeout", m.errors_timeout);
  put(json, "errors_status", m.errors_status);
  put(json, "listen_overflows", m.listen_overflows);
  put(json, "listen_drops", m.listen_drops);
  put(json, "retransmits", m.retransmits);
  put(json, "steal_share", m.steal_share);
  put(json, "foreign_cpu_share", m.foreign_cpu_share);
  put(json, "harness_cpu_share", m.harness_cpu_share);
  put(json, "throttled_s", m.throttled_s);
  put(json, "clock_step_s", m.clock_step_s);
  put(json, "settled_after_s", m.settled_after_s);
  return json;
}

}  // namespace archbench
