// ab, Apache's load generator: one thread, closed loop, HTTP/1.0 with keep-alive on request.
#pragma once

#include <string>

#include "harness/generators/generator_process.h"

namespace archbench {

class Ab : public GeneratorProcess {
 public:
  explicit Ab(std::filesystem::path program) : GeneratorProcess("ab", std::move(program)) {}

 private:
  Launch prepare(const Load& load) override;
  GeneratorReport read_report(const Load& load) override;
};

// What ab 2.3 prints at its end, and its percentiles (-e). Throws CellFailed.
GeneratorReport parse_ab_report(const std::string& text, const std::string& percentiles);

}  // namespace archbench
