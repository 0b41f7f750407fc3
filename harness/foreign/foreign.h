// Other people's results: read into one form, and held to the gates that can be applied from
// outside.
//
// Published numbers come without the server's own counters, so only what must agree with itself can
// be checked: Little's law, errors, and whether the rate is the count over the time.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace archbench {

// One run as somebody else reported it. Absent: the report does not say.
struct ForeignRun {
  std::string source;  // techempower, wrk, oha or h2load
  std::string name;    // what was run: "plaintext/nginx"
  std::optional<double> clients;
  std::optional<double> duration_s;
  std::optional<double> requests;
  std::optional<double> reported_rps;
  std::optional<double> latency_mean_us;
  std::optional<double> latency_max_us;
  std::optional<double> latency_stdev_us;
  double errors_connect = 0, errors_other = 0, errors_status = 0, errors_timeout = 0;
  bool pipelined = false;  // several requests of a client are under way at once
};

struct ForeignGate {
  std::string name;
  std::string verdict;  // pass, fail or unknown
  std::string text;
};

// Recognises the kind of file by its content. `clients` is used where it does not say. Throws
// Error.
std::vector<ForeignRun> read_foreign(const std::string& text, const std::string& origin,
                                     std::optional<double> clients);

std::vector<ForeignGate> judge(const ForeignRun& run);

// The commands. Each returns the exit status: audit 1 when a run failed a gate.
int import_file(const std::filesystem::path& file, std::optional<double> clients);
int audit_file(const std::filesystem::path& file, std::optional<double> clients);

}  // namespace archbench
