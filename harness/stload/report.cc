#include "harness/stload/report.h"

#include <st.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "harness/stload/percentile.h"
#include "harness/version.h"

namespace stload {
namespace {

using nlohmann::json;

// To the nanosecond, and without the digits behind it that a double would add.
double rounded_us(Duration time) { return std::round(microseconds(time) * 1e3) / 1e3; }

json distribution(const Histogram& values, std::uint64_t unanswered) {
  json result = {{"count", values.count()}};
  if (values.count() > 0) {
    result["mean"] = rounded_us(values.mean());
    result["min"] = rounded_us(values.min());
    result["max"] = rounded_us(values.max());
  }
  result["withheld"] = json::array();
  for (const Percentile& which : kPercentiles) {
    const PercentileValue value = percentile(values, unanswered, which);
    if (value.value) {
      result[which.name] = rounded_us(*value.value);
    } else {
      result["withheld"].push_back({{"name", which.name}, {"reason", value.withheld}});
    }
  }
  result["histogram"] = json::array();
  for (const auto& [value, count] : values.pairs()) {
    result["histogram"].push_back({rounded_us(value), count});
  }
  return result;
}

json errors_json(const Counts& counts) {
  json result = json::object();
  for (std::size_t i = 0; i < kFailures; ++i) result[kFailureNames[i]] = counts.errors[i];
  return result;
}

json statuses_json(const Counts& counts) {
  json result = json::object();
  for (std::size_t status = 100; status < counts.statuses.size(); ++status) {
    if (counts.statuses[status] > 0) result[std::to_string(status)] = counts.statuses[status];
  }
  return result;
}

json versions_json() {
  utsname system{};
  uname(&system);
  return {{"stload", archbench::kVersion},
          {"st", ST_VERSION},
          {"compiler", archbench::kCompiler},
          {"build_type", archbench::kBuildType},
          {"build_flags", archbench::kBuildFlags},
          {"kernel", std::string(system.sysname) + " " + system.release}};
}

json load_json(const Options& options) {
  json load = {{"kind", options.rate              ? "open"
                        : options.per_client_rate ? "paced"
                                                  : "closed"},
               {"hides_stalls", !options.timed()},
               {"latency_until", options.latency_until == Until::arrived ? "arrived" : "read"},
               {"url", "http://" + options.url.authority() + options.url.path},
               {"addresses", json::array()},
               {"clients", options.clients},
               {"processes", options.processes},
               {"warmup_s", seconds(options.warmup)},
               {"duration_s", seconds(options.duration)},
               {"timeout_s", seconds(options.timeout)},
               {"seed", options.seed},
               {"connection_per_request", options.connection_per_request},
               {"check", options.check},
               {"spin", options.spin}};
  for (const Address& address : options.addresses) load["addresses"].push_back(address.text());
  if (options.timed()) {
    load["arrivals"] = options.arrivals == Spacing::constant ? "constant" : "poisson";
  }
  if (options.rate) load["rate_rps"] = *options.rate;
  if (options.per_client_rate) load["per_client_rate_rps"] = *options.per_client_rate;
  if (options.think_time.count() > 0) {
    load["think_time_s"] = seconds(options.think_time);
    load["think_times"] = options.think_times == Think::constant ? "constant" : "exponential";
  }
  if (!options.mix_file.empty()) load["mix"] = options.mix_file;
  if (options.idle > 0) load["idle"] = options.idle;
  if (options.slow_clients > 0) load["slow_clients"] = options.slow_clients;
  const Speed& speed = options.speed;
  if (speed.read_bytes_per_s > 0) load["slow_read_bytes_per_s"] = speed.read_bytes_per_s;
  if (speed.write_bytes_per_s > 0) load["slow_write_bytes_per_s"] = speed.write_bytes_per_s;
  return load;
}

json window_json(const Options& options, const Outcome& outcome) {
  const Tally& tally = outcome.tally;
  const std::uint64_t requests = tally.window.answers + tally.window.failed();
  const double length = seconds(outcome.window);
  const auto per_second = [&](std::uint64_t count) {
    return length > 0 ? static_cast<double>(count) / length : 0;
  };
  json window = {{"duration_s", length},
                 {"requests", requests},
                 {"offered_rps", per_second(requests)},
                 {"answers", tally.window.answers},
                 {"completed", tally.completed},
                 {"completed_rps", per_second(tally.completed)},
                 {"bytes_read", tally.window_bytes_read},
                 {"statuses", statuses_json(tally.window)},
                 {"errors", errors_json(tally.window)}};
  if (options.timed()) window["queued"] = tally.queued;
  return window;
}

json clients_json(const Options& options, const Outcome& outcome) {
  const Fairness fair = fairness(outcome);
  json clients = {{"count", outcome.clients.size()},
                  {"served", fair.served},
                  {"never_served", outcome.clients.size() - fair.served},
                  {"answers_min", fair.least},
                  {"answers_max", fair.most}};
  if (fair.served > 0) clients["jain_index"] = fair.jain_index;
  if (options.per_client_rate) {
    clients["on_pace"] = fair.on_pace;
    clients["on_pace_share"] = kOnPaceShare;
  }
  std::map<std::uint32_t, std::uint64_t> distribution;
  for (const ClientCounts& client : outcome.clients) ++distribution[client.answers];
  clients["answers"] = json::array();
  for (const auto& [answers, count] : distribution) clients["answers"].push_back({answers, count});
  return clients;
}

}  // namespace

Fairness fairness(const Outcome& outcome) {
  Fairness result;
  double sum = 0, squares = 0;
  result.least = UINT32_MAX;
  for (const ClientCounts& client : outcome.clients) {
    result.served += client.answers > 0;
    result.least = std::min(result.least, client.answers);
    result.most = std::max(result.most, client.answers);
    result.on_pace += client.completed >= kOnPaceShare * client.requests;
    sum += client.answers;
    squares += static_cast<double>(client.answers) * client.answers;
  }
  if (squares > 0) {
    result.jain_index = sum * sum / (static_cast<double>(outcome.clients.size()) * squares);
  }
  return result;
}

json report_json(const Options& options, const Outcome& outcome) {
  const Tally& tally = outcome.tally;
  json report = {{"schema", "stload.report/1"},
                 {"command", options.command},
                 {"started_utc", outcome.started_utc},
                 {"versions", versions_json()},
                 {"load", load_json(options)},
                 {"window", window_json(options, outcome)},
                 {"run",
                  {{"duration_s", seconds(outcome.run)},
                   {"begin_monotonic_ns", outcome.begin.time_since_epoch().count()},
                   {"connections", tally.connections},
                   {"answers", tally.run.answers},
                   {"bytes_read", tally.bytes_read},
                   {"bytes_written", tally.bytes_written},
                   {"statuses", statuses_json(tally.run)},
                   {"errors", errors_json(tally.run)}}},
                 {"latency_us", distribution(tally.latency, tally.window.failed())},
                 {"connect_us", distribution(tally.connect, 0)},
                 {"clients", clients_json(options, outcome)}};
  if (options.latency_until == Until::arrived) {
    report["read_lag_us"] = distribution(tally.read_lag, 0);
  }
  if (options.timed()) {
    report["send_lag_us"] = distribution(tally.send_lag, 0);
    report["wakeup_lag_us"] = distribution(tally.wakeup_lag, 0);
  }
  if (options.idle > 0) {
    report["idle"] = {{"asked", options.idle},
                      {"opened", tally.idle_opened},
                      {"open_at_end", tally.idle_open},
                      {"closed_by_server", tally.idle_closed_by_server}};
  }
  if (options.slow_clients > 0) {
    report["slow"] = {{"clients", options.slow_clients},
                      {"answers", tally.slow.answers},
                      {"errors", errors_json(tally.slow)}};
  }
  report["generator"] = {{"processes", options.processes},
                         {"user_s", seconds(outcome.cpu.user)},
                         {"system_s", seconds(outcome.cpu.system)},
                         {"window_user_s", seconds(tally.window_cpu.user)},
                         {"window_system_s", seconds(tally.window_cpu.system)},
                         {"busiest_share", tally.busiest_share}};
  report["warnings"] = json::array();
  for (const Warning& warning : warnings(options, outcome)) {
    report["warnings"].push_back({{"code", warning.code}, {"text", warning.text}});
  }
  return report;
}

}  // namespace stload
