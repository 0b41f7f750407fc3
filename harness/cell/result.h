// One finished cell: this struct is a line of cells.jsonl (results/schema/cell.schema.json).
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "harness/cell/measure.h"
#include "harness/cell/observation.h"
#include "harness/cell/warning.h"
#include "harness/plan/cell.h"

namespace archbench {

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
  std::string archbench_sha256;
  std::string generator_sha256;
  std::string commit;  // empty: unknown
  std::optional<bool> dirty;
  std::string compiler, build_flags, kernel, cpu_model;
  std::uint64_t seed = 0;
  std::vector<std::string> raw;  // files, relative to the campaign
};

struct Result {
  Cell cell;
  std::string failure;  // empty: status "ok"; else status "failed" and this is the reason
  std::string started_utc;
  double took_s = 0;  // starts, stops and probes included
  Measurements measurements;
  std::vector<Gate> gates;
  std::vector<Warning> warnings;
  std::vector<CounterSample> samples;         // times from the window's beginning, counts from 0
  std::map<std::string, std::string> absent;  // measurement -> why it is missing
  Provenance provenance;
};

// Draws the conclusions: measurements, warnings and gates. A pure function.
Result conclude(const Observation& observation);

nlohmann::ordered_json to_json(const Result& result);

}  // namespace archbench
