// What the servers' programs say they can do, from their own --help.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/os/places.h"
#include "harness/plan/plan.h"

namespace archbench {

struct ProgramHelp {
  bool runs = false;  // it answered --help
  std::string text;
  std::vector<std::string> models;
  std::vector<std::string> sentences;  // one for each model

  bool has_model(const std::string& name) const;
  bool has_option(const std::string& name) const;
};

ProgramHelp parse_help(const std::string& text);

class Catalogue {
 public:
  // Asks each program once.
  const ProgramHelp& of(const std::filesystem::path& program);

  // Why this server cannot be run as the plan wants it: a program, model or option that is not
  // there. Empty: nothing is known against it. Custom servers are not asked.
  std::string complaint(const ServerSpec& server, const std::filesystem::path& servers);

  // Throws Error with the first complaint about a plan.
  void require_all(const Plan& plan, const Places& places);

 private:
  std::map<std::filesystem::path, ProgramHelp> known_;
};

}  // namespace archbench
