// One finished cell: this struct is a line of cells.jsonl (results/schema/cell.schema.json).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/cell.h"
#include "harness/observation.h"
#include "harness/warning.h"

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
  std::optional<double> generator_cpu_s;            // over its own run
  std::optional<double> generator_cpu_share;        // of one CPU for each of its threads
  std::optional<double> latency_us_mean;            // this and the next: the generator's whole run
  std::optional<double> latency_us_p50;
  std::optional<double> latency_us_p90;
  std::optional<double> latency_us_p99;   // from 10,000 answers on
  std::optional<double> latency_us_p999;  // from 100,000 answers on
  std::optional<double> latency_us_max;
  std::optional<std::uint64_t> served_connections;  // that got at least one answer, whole run
  std::optional<std::uint64_t> connections_open;    // in the server, at the end of the window
  std::optional<std::uint64_t> server_rss_bytes;    // this and the next two: just after the window
  std::optional<std::uint64_t> server_processes;
  std::optional<std::uint64_t> server_threads;
  std::optional<double> voluntary_switches_per_request;  // between the censuses
  std::optional<double> involuntary_switches_per_request;
  std::optional<std::uint64_t> errors_connect;  // these as the generator counts them, whole run
  std::optional<std::uint64_t> errors_read;
  std::optional<std::uint64_t> errors_write;
  std::optional<std::uint64_t> errors_timeout;
  std::optional<std::uint64_t> errors_status;
  std::optional<double> steal_share;        // of the machine's CPU time in the window
  std::optional<double> foreign_cpu_share;  // the same, used by neither side nor by archbench
};

enum class Verdict { pass, fail, unknown };

// What a failed gate means: the numbers are wrong, or they are right but mean something else.
enum class Effect { invalidates, labels };

struct Gate {
  std::string name;
  Verdict verdict = Verdict::unknown;
  Effect effect = Effect::invalidates;
  std::optional<double> value;  // what was compared
  std::optional<double> limit;  // with what
  std::string text;             // for a reader: the finding, or why there is none
};

// Where a cell comes from.
struct Provenance {
  std::vector<std::string> server_command;
  std::vector<std::string> generator_command;
  std::string server_cpu_list;
  std::string generator_cpu_list;
  std::string server_binary_sha256;  // empty: unknown
  std::string commit;                // empty: unknown
  std::optional<bool> dirty;
  std::uint64_t seed = 0;
  std::vector<std::string> raw;  // files, relative to the campaign
};

struct Result {
  Cell cell;
  std::string failure;  // empty: status "ok"; else status "failed" and this is the reason
  std::string started_utc;
  Measurements measurements;
  std::vector<Gate> gates;
  std::vector<Warning> warnings;
  Provenance provenance;
};

// Draws the conclusions: measurements, warnings and gates. A pure function.
Result conclude(const Observation& observation);

nlohmann::ordered_json to_json(const Result& result);

}  // namespace archbench
