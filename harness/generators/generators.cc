#include "harness/generators/generators.h"

#include "harness/error.h"
#include "harness/generators/ab.h"
#include "harness/generators/h2load.h"
#include "harness/generators/stload_driver.h"
#include "harness/generators/wrk.h"
#include "harness/os/places.h"
#include "harness/os/subprocess.h"
#include "harness/os/system.h"

namespace archbench {

const std::vector<GeneratorKind>& generator_kinds() {
  static const std::vector<GeneratorKind> kinds{
      {"wrk", "wrk", "closed loop; every latency"},
      {"stload", "", "closed and open loop, idle and slow clients, fair shares"},
      {"h2load", "nghttp2-client", "closed loop with keep-alive; a second opinion"},
      {"ab", "apache2-utils", "closed loop in one thread; a second opinion"}};
  return kinds;
}

const GeneratorKind& generator_kind(const std::string& name) {
  for (const GeneratorKind& kind : generator_kinds()) {
    if (kind.name == name) return kind;
  }
  throw Error("there is no generator \"" + name + "\"");
}

std::optional<std::filesystem::path> generator_program(const std::string& name,
                                                       const Places& places) {
  if (!generator_kind(name).package.empty()) return find_in_path(name);
  std::filesystem::path program = places.servers / name;
  // Servers from elsewhere come without it: then it is the one that was built with archbench.
  if (!is_executable(program)) program = places.self / name;
  if (!is_executable(program)) return std::nullopt;
  return program;
}

std::string generator_version(const std::string& name, const std::filesystem::path& program) {
  const char* option = name == "wrk" ? "-v" : name == "ab" ? "-V" : "--version";
  const auto text = capture({program.string(), option}, true);  // wrk exits with 1
  return text ? text->substr(0, text->find('\n')) : "";
}

std::unique_ptr<Generator> make_generator(const std::string& name, const Places& places) {
  const auto program = generator_program(name, places);
  if (!program) {
    const std::string& package = generator_kind(name).package;
    throw Error(name + " is not there; " +
                (package.empty() ? "build it: cmake --build" : "apt-get install " + package));
  }
  if (name == "wrk") return std::make_unique<Wrk>(*program, places.script);
  if (name == "stload") return std::make_unique<Stload>(*program);
  if (name == "h2load") return std::make_unique<H2load>(*program);
  return std::make_unique<Ab>(*program);
}

}  // namespace archbench
