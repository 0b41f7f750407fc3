// The harness's own structs as JSON, for archbench to talk to archbench on another host.
//
// Both ends are the same program (it is copied there), so nothing here has versions or defaults.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "harness/generators/generator.h"
#include "harness/machine/doctor.h"
#include "harness/machine/machine.h"
#include "harness/os/process_tree.h"
#include "harness/plan/cell.h"
#include "harness/plan/plan.h"
#include "harness/servers/counters.h"

namespace nlohmann {

template <typename T>
struct adl_serializer<std::optional<T>> {
  static void to_json(json& to, const std::optional<T>& value) {
    to = value ? json(*value) : json();
  }
  static void from_json(const json& from, std::optional<T>& value) {
    value = from.is_null() ? std::nullopt : std::optional<T>(from.get<T>());
  }
};

}  // namespace nlohmann

namespace archbench {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CounterTotals, requests, connections, served, closed, bytes,
                                   errors, refused)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Census, processes, threads, rss_bytes, user_ticks, system_ticks,
                                   cpu_s, voluntary_switches, involuntary_switches, vehicles,
                                   machine_forks, pss_bytes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MachineTimes, busy_s, steal_s, total_s, system_s, programs_s)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(KernelCounts, listen_overflows, listen_drops, retransmits,
                                   throttled_s, hot_events, clock_offset_s)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ServerSpec, architecture, model, label, options, twin_of,
                                   program, takes_model, command, ready, url)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(WeightedPath, path, weight)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Workload, name, path, keepalive, mix, generator,
                                   generator_options, server_options, labels, clients, cpus, rate,
                                   origin)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Cell, server, workload, clients, cpus, block, order)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ServedFile, path, bytes, disk)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Load, url, workload, clients, warmup_s, window_s, least_s,
                                   longest_s, cpus, raw_directory, file_stem)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LatencyCount, latency_us, count)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Latencies, mean_us, p50_us, p90_us, p99_us, p999_us, max_us,
                                   buckets)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(GeneratorReport, requests, bytes, duration_s, errors_connect,
                                   errors_read, errors_write, errors_timeout, errors_status,
                                   latency, latencies, intended, latency_rps, send_lag_us_p99,
                                   jain_index, slowest_client_requests, clients_served, absent)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Finding, name, health, found, why, advice, file, value)

}  // namespace archbench
