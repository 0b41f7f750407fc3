// stload, our own load generator: what wrk cannot do - offered rates, idle and slow clients, fair
// shares.
#pragma once

#include <string>

#include "harness/generators/generator_process.h"

namespace archbench {

class Stload : public GeneratorProcess {
 public:
  explicit Stload(std::filesystem::path program) : GeneratorProcess("stload", std::move(program)) {}

 private:
  Launch prepare(const Load& load) override;
  GeneratorReport read_report(const Load& load) override;
};

// A report in the form of results/schema/stload.schema.json. Throws CellFailed.
GeneratorReport parse_stload_report(const std::string& json_text);

}  // namespace archbench
