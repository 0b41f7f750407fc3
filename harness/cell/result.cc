#include "harness/cell/result.h"

#include <cmath>

#include "harness/cell/gates.h"

namespace archbench {
namespace {

using nlohmann::ordered_json;

ordered_json to_json(const Gate& gate) {
  const char* verdict = gate.verdict == Verdict::pass   ? "pass"
                        : gate.verdict == Verdict::fail ? "fail"
                                                        : "unknown";
  ordered_json json{{"name", gate.name},
                    {"verdict", verdict},
                    {"effect", gate.effect == Effect::invalidates ? "invalidates" : "labels"}};
  if (gate.value && std::isfinite(*gate.value)) json["value"] = *gate.value;
  if (gate.limit) json["limit"] = *gate.limit;
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
  const std::pair<const char*, const std::string&> texts[] = {
      {"server_binary_sha256", from.server_binary_sha256},
      {"generator_sha256", from.generator_sha256},
      {"archbench_sha256", from.archbench_sha256},
      {"commit", from.commit},
      {"compiler", from.compiler},
      {"build_flags", from.build_flags},
      {"kernel", from.kernel},
      {"cpu_model", from.cpu_model}};
  for (const auto& [name, text] : texts) {
    if (!text.empty()) json[name] = text;
  }
  if (from.dirty) json["dirty"] = *from.dirty;
  return json;
}

// Compact: both lists of equal length, milliseconds and answers since the generator's start.
ordered_json to_json(const std::vector<CounterSample>& samples) {
  ordered_json json{{"time_s", ordered_json::array()}, {"requests", ordered_json::array()}};
  for (const CounterSample& sample : samples) {
    json["time_s"].push_back(std::round(1e4 * sample.time_s) / 1e4);
    json["requests"].push_back(sample.requests);
  }
  return json;
}

Steadiness steadiness_of(const Observation& seen) {
  std::vector<RateSample> samples;
  for (const CounterSample& sample : seen.samples) {
    samples.push_back({sample.time_s, static_cast<double>(sample.requests)});
  }
  return judge_steadiness(samples, seen.window_begin.time_s);
}

}  // namespace

Result conclude(const Observation& seen) {
  Result result;
  result.cell = seen.cell;
  const Steadiness steadiness = steadiness_of(seen);
  result.measurements = measure(seen, steadiness, result.warnings, result.absent);
  if (seen.generator_shares_cpus) result.warnings.push_back(Warning::generator_shares_cpus);
  if (!seen.all_connected) result.warnings.push_back(Warning::not_all_connected);
  if (!seen.server_stopped) result.warnings.push_back(Warning::server_did_not_stop);
  result.gates = judge(seen, result.measurements, steadiness);
  for (CounterSample sample : seen.samples) {
    sample.time_s -= seen.window_begin.time_s;
    sample.requests -= seen.baseline.requests;
    result.samples.push_back(sample);
  }
  return result;
}

ordered_json to_json(const Result& result) {
  const Cell& cell = result.cell;
  ordered_json json{{"schema", "archbench.cell/1"},
                    {"cell", cell.id()},
                    {"architecture", cell.server.architecture},
                    {"model", cell.server.model},
                    {"label", cell.server.label}};
  if (!cell.server.twin_of.empty()) json["twin_of"] = cell.server.twin_of;
  json["workload"] = cell.workload.name;
  json["generator"] = cell.workload.generator;
  json["clients"] = cell.clients;
  json["cpus"] = cell.cpus;
  if (cell.workload.rate > 0) json["offered_rps"] = cell.workload.rate;
  json["block"] = cell.block;
  json["order"] = cell.order;
  json["status"] = result.failure.empty() ? "ok" : "failed";
  if (!result.failure.empty()) json["reason"] = result.failure;
  json["started_utc"] = result.started_utc;
  json["took_s"] = result.took_s;
  json["measurements"] = to_json(result.measurements);
  if (!result.samples.empty()) json["samples"] = to_json(result.samples);
  if (!result.absent.empty()) json["absent"] = result.absent;
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
