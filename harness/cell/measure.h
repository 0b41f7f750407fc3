// Facts to numbers: what a cell's observation says, with everything that is unknown left out.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "harness/cell/observation.h"
#include "harness/cell/warning.h"
#include "harness/servers/steady.h"

namespace archbench {

// What is unknown is absent. An undefined number (NaN, infinite) is unknown, because JSON has no
// word for it and a reader would have to guess.
struct Measurements {
  std::optional<double> duration_s;                 // length of the window, monotonic clock
  std::optional<std::uint64_t> requests;            // answers inside it, counted by the server
  std::optional<std::uint64_t> bytes;               // response bytes inside it, by the server
  std::optional<double> throughput_rps;             // requests / duration_s
  std::optional<std::uint64_t> generator_requests;  // answers in the generator's own run
  std::optional<double> generator_throughput_rps;   // over the generator's own time
  std::optional<double> server_cpu_s;               // all processes of the server, in the window
  std::optional<double> server_user_share;          // user part of it, between the censuses
  std::optional<double> server_cpu_share;           // of the CPUs it was given; 1 is busy
  std::optional<double> cpu_us_per_request;         // server CPU time for one answer
  std::optional<double> requests_per_cpu_s;         // answers for one server CPU-second
  std::optional<double> system_us_per_request;      // kernel time of the whole machine for one
  std::optional<double> generator_cpu_s;            // over its own run
  std::optional<double> generator_cpu_share;        // of one CPU for each of its threads
  std::optional<double> generator_busiest_thread_share;  // of one CPU
  std::optional<double> generator_idlest_thread_share;
  std::optional<double> ceiling_rps;      // of the null responder under the same load
  std::optional<double> ceiling_share;    // throughput over that
  std::optional<double> latency_us_mean;  // this and the next: the generator's whole run
  std::optional<double> latency_us_p50;
  std::optional<double> latency_us_p90;
  std::optional<double> latency_us_p99;   // from 10,000 answers on
  std::optional<double> latency_us_p999;  // from 100,000 answers on
  std::optional<double> latency_us_max;
  std::optional<double> latency_intended_us_mean;  // open loop: from when a request was due
  std::optional<double> latency_intended_us_p50;
  std::optional<double> latency_intended_us_p90;
  std::optional<double> latency_intended_us_p99;
  std::optional<double> latency_intended_us_p999;
  std::optional<double> latency_intended_us_max;
  std::optional<double> send_lag_us_p99;  // open loop: from when it was due until it was sent
  std::optional<double> jain_index;       // of the answers that each client got; 1 is fair
  std::optional<std::uint64_t> slowest_client_requests;
  std::optional<std::uint64_t> served_connections;       // that got at least one answer, whole run
  std::optional<std::uint64_t> connections_open;         // in the server, at the end of the window
  std::optional<std::uint64_t> connections_established;  // in the kernel, at the same time
  std::optional<std::uint64_t> server_rss_bytes;  // this and the next four: just after the window
  std::optional<std::uint64_t> server_pss_bytes;
  std::optional<double> memory_bytes_per_connection;  // PSS now less PSS without a client
  std::optional<std::uint64_t> server_processes;
  std::optional<std::uint64_t> server_threads;
  std::optional<double> voluntary_switches_per_request;  // between the censuses
  std::optional<double> involuntary_switches_per_request;
  std::optional<double> syscalls_per_request;   // in a short part of its own, in block 0
  std::optional<std::uint64_t> errors_connect;  // these as the generator counts them, whole run
  std::optional<std::uint64_t> errors_read;
  std::optional<std::uint64_t> errors_write;
  std::optional<std::uint64_t> errors_timeout;
  std::optional<std::uint64_t> errors_status;
  std::optional<std::uint64_t> listen_overflows;  // these of the whole machine, the load's time
  std::optional<std::uint64_t> listen_drops;
  std::optional<std::uint64_t> retransmits;
  std::optional<double> steal_share;        // of the machine's CPU time in the window
  std::optional<double> foreign_cpu_share;  // the same, used by neither side nor by archbench
  std::optional<double> harness_cpu_share;  // the same, used by archbench: what measuring costs
  std::optional<double> throttled_s;        // kept from us by a limit of the control group
  std::optional<double> clock_step_s;       // what the wall clock moved beyond the monotonic one
  std::optional<double> settled_after_s;    // from the generator's start (MSER-5)
};

// Pure. Adds to `warnings` and to `absent` why something is missing.
Measurements measure(const Observation& seen, const Steadiness& steadiness,
                     std::vector<Warning>& warnings, std::map<std::string, std::string>& absent);

nlohmann::ordered_json to_json(const Measurements& measurements);

}  // namespace archbench
