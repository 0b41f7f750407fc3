// The load generators by name: where their programs are, and a driver for each.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/generators/generator.h"

namespace archbench {

struct Places;

struct GeneratorKind {
  std::string name;
  std::string package;  // of Debian; empty: built with archbench
  std::string why;      // what it is for, for `archbench list`
};

const std::vector<GeneratorKind>& generator_kinds();
const GeneratorKind& generator_kind(const std::string& name);

// Its program: stload in the servers' folder, the others in $PATH. Absent: not there.
std::optional<std::filesystem::path> generator_program(const std::string& name,
                                                       const Places& places);

// What it calls itself, as in "wrk debian/4.1.0-3+b2 [epoll] ..."; empty when it says nothing.
std::string generator_version(const std::string& name, const std::filesystem::path& program);

// A driver. Throws Error when the program is not there.
std::unique_ptr<Generator> make_generator(const std::string& name, const Places& places);

}  // namespace archbench
