// Judging runs that somebody else made, and the two commands about them.
#include <cmath>
#include <cstdio>
#include <map>

#include "harness/error.h"
#include "harness/foreign/foreign.h"
#include "harness/os/system.h"

namespace archbench {
namespace {

using nlohmann::ordered_json;

std::string number(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::optional<double> rate_of(const ForeignRun& run) {
  if (run.reported_rps) return run.reported_rps;
  if (!run.requests || !run.duration_s || *run.duration_s <= 0) return std::nullopt;
  return *run.requests / *run.duration_s;
}

ForeignGate littles_law(const ForeignRun& run) {
  constexpr double kLimit = 0.05;  // as for our own cells
  const auto rate = rate_of(run);
  if (run.pipelined) {
    return {"littles_law", "unknown",
            "pipelined: one latency stands for several requests under way at once"};
  }
  if (!rate || !run.latency_mean_us || !run.clients) {
    return {"littles_law", "unknown", "rate, mean latency and clients are not all known"};
  }
  const double busy = *rate * 1e-6 * *run.latency_mean_us;
  const double off = busy / *run.clients - 1;
  return {"littles_law", std::abs(off) <= kLimit ? "pass" : "fail",
          "rate x mean latency is " + number("%.1f", busy) + " for " +
              number("%.0f", *run.clients) + " clients (" + number("%+.1f %%", 100 * off) + ")"};
}

ForeignGate rate_agrees(const ForeignRun& run) {
  constexpr double kRounding = 0.02;  // seconds and rates are printed with few digits
  if (!run.reported_rps || !run.requests || !run.duration_s || *run.duration_s <= 0) {
    return {"rate_agrees", "unknown", "rate, count and time are not all reported"};
  }
  const double rate = *run.requests / *run.duration_s;
  const bool good = std::abs(rate / *run.reported_rps - 1) <= kRounding;
  return {"rate_agrees", good ? "pass" : "fail",
          number("%.0f", *run.reported_rps) +
              " requests/s are reported, the count over the time is " + number("%.0f", rate)};
}

ForeignGate no_errors(const ForeignRun& run) {
  const double errors =
      run.errors_connect + run.errors_other + run.errors_status + run.errors_timeout;
  if (errors == 0) return {"no_errors", "pass", "no errors are reported"};
  return {"no_errors", "fail",
          number("%.0f", run.errors_connect) + " connect, " + number("%.0f", run.errors_other) +
              " read and write, " + number("%.0f", run.errors_timeout) + " timeouts, " +
              number("%.0f", run.errors_status) +
              " error statuses; such answers count as throughput"};
}

// No mean of n values in [0, max] lies above max, and none has a larger deviation than this
// (Bhatia and Davis, 2000).
ForeignGate latency_possible(const ForeignRun& run) {
  if (!run.latency_mean_us || !run.latency_max_us) {
    return {"latency_possible", "unknown", "mean and maximum are not both reported"};
  }
  constexpr double kRounding = 1.02;
  const double mean = *run.latency_mean_us, most = *run.latency_max_us;
  if (mean > most * kRounding) {
    return {"latency_possible", "fail", "the mean latency is larger than the largest one"};
  }
  const double widest = std::sqrt(std::max(0.0, mean * (most - mean)));
  if (run.latency_stdev_us && *run.latency_stdev_us > widest * kRounding) {
    return {"latency_possible", "fail",
            "no latencies up to the reported maximum have the reported mean and deviation"};
  }
  return {"latency_possible", "pass", "mean, deviation and maximum can be of the same latencies"};
}

void put(ordered_json& json, const char* name, const std::optional<double>& value) {
  if (value && std::isfinite(*value)) json[name] = *value;
}

ordered_json to_json(const ForeignRun& run) {
  ordered_json json{{"schema", "archbench.foreign/1"}, {"source", run.source}, {"name", run.name}};
  put(json, "clients", run.clients);
  put(json, "duration_s", run.duration_s);
  put(json, "requests", run.requests);
  put(json, "throughput_rps", rate_of(run));
  put(json, "latency_us_mean", run.latency_mean_us);
  put(json, "latency_us_max", run.latency_max_us);
  put(json, "latency_us_stdev", run.latency_stdev_us);
  json["errors_connect"] = run.errors_connect;
  json["errors_other"] = run.errors_other;
  json["errors_timeout"] = run.errors_timeout;
  json["errors_status"] = run.errors_status;
  json["gates"] = ordered_json::array();
  for (const ForeignGate& gate : judge(run)) {
    json["gates"].push_back({{"name", gate.name}, {"verdict", gate.verdict}, {"text", gate.text}});
  }
  return json;
}

std::vector<ForeignRun> load(const std::filesystem::path& file, std::optional<double> clients) {
  const auto text = read_file(file);
  if (!text) throw Error(errno_text("reading " + file.string()));
  return read_foreign(*text, file.string(), clients);
}

}  // namespace

std::vector<ForeignGate> judge(const ForeignRun& run) {
  return {littles_law(run), rate_agrees(run), no_errors(run), latency_possible(run)};
}

int import_file(const std::filesystem::path& file, std::optional<double> clients) {
  for (const ForeignRun& run : load(file, clients))
    std::printf("%s\n", to_json(run).dump().c_str());
  return 0;
}

int audit_file(const std::filesystem::path& file, std::optional<double> clients) {
  const auto runs = load(file, clients);
  struct Tally {
    int pass = 0, fail = 0, unknown = 0;
  };
  std::map<std::string, Tally> tallies;
  bool failed = false;
  for (const ForeignRun& run : runs) {
    for (const ForeignGate& gate : judge(run)) {
      Tally& tally = tallies[gate.name];
      ++(gate.verdict == "pass" ? tally.pass : gate.verdict == "fail" ? tally.fail : tally.unknown);
      if (gate.verdict != "fail") continue;
      failed = true;
      std::printf("%s: %s: %s\n", run.name.c_str(), gate.name.c_str(), gate.text.c_str());
    }
  }
  std::printf("%zu runs\n", runs.size());
  for (const auto& [name, tally] : tallies) {
    std::printf("  %-18s %d pass, %d fail, %d unknown\n", name.c_str(), tally.pass, tally.fail,
                tally.unknown);
  }
  return failed ? 1 : 0;
}

}  // namespace archbench
