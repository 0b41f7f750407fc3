// h2load (nghttp2) as a load generator, in its HTTP/1.1 mode.
#pragma once

#include <string>

#include "harness/generators/generator_process.h"

namespace archbench {

class H2load : public GeneratorProcess {
 public:
  explicit H2load(std::filesystem::path program) : GeneratorProcess("h2load", std::move(program)) {}

 private:
  Launch prepare(const Load& load) override;
  GeneratorReport read_report(const Load& load) override;
};

// What h2load 1.52 prints at its end. Throws CellFailed.
GeneratorReport parse_h2load_report(const std::string& text);

}  // namespace archbench
