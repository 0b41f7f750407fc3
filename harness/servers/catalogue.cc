#include "harness/servers/catalogue.h"

#include <algorithm>

#include "harness/error.h"
#include "harness/os/subprocess.h"
#include "harness/os/system.h"
#include "harness/servers/server.h"

namespace archbench {

bool ProgramHelp::has_model(const std::string& name) const {
  return std::find(models.begin(), models.end(), name) != models.end();
}

bool ProgramHelp::has_option(const std::string& name) const {
  // As a word of its own: --event is not --events.
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += name.size()) {
    const std::size_t end = at + name.size();
    if (end == text.size() || std::string(" ,=\n").find(text[end]) != std::string::npos)
      return true;
  }
  return false;
}

ProgramHelp parse_help(const std::string& text) {
  ProgramHelp help;
  help.runs = true;
  help.text = text;
  // "Models (the first is the default):" and then "  name       sentence" up to an empty line.
  std::size_t at = text.find("\nModels");
  if (at == std::string::npos) return help;
  for (at = text.find('\n', at + 1); at != std::string::npos;) {
    const std::size_t begin = at + 1;
    at = text.find('\n', begin);
    const std::string line = text.substr(begin, at - begin);
    const std::size_t name = line.find_first_not_of(' ');
    if (name == std::string::npos) break;
    const std::size_t end = line.find(' ', name);
    help.models.push_back(line.substr(name, end - name));
    const std::size_t words = end == std::string::npos ? end : line.find_first_not_of(' ', end);
    help.sentences.push_back(words == std::string::npos ? "" : line.substr(words));
  }
  return help;
}

const ProgramHelp& Catalogue::of(const std::filesystem::path& program) {
  const auto [entry, is_new] = known_.try_emplace(program);
  if (is_new && is_executable(program)) {
    if (const auto text = capture({program.string(), "--help"})) entry->second = parse_help(*text);
  }
  return entry->second;
}

std::string Catalogue::complaint(const ServerSpec& server, const std::filesystem::path& servers) {
  const auto program = server_program(server, servers);
  if (server.custom()) {
    return is_executable(program) ? "" : "\"" + program.string() + "\" is not there";
  }
  if (!is_executable(program)) {
    return "there is no " + program.filename().string() + " in " + servers.string();
  }
  const ProgramHelp& help = of(program);
  if (!help.runs) return "";  // it says nothing about itself
  const std::string name = program.filename().string();
  if (server.takes_model && !help.models.empty() && !help.has_model(server.model)) {
    std::string known;
    for (const std::string& model : help.models) known += " " + model;
    return name + " has no model \"" + server.model + "\"; it has" + known;
  }
  for (const std::string& word : server.options) {
    if (!word.starts_with("--")) continue;
    const std::string option = word.substr(0, word.find('='));
    if (!help.has_option(option)) return name + " has no option " + option;
  }
  return "";
}

void Catalogue::require_all(const Plan& plan, const Places& places) {
  for (const ServerSpec& server : plan.servers) {
    const std::string why = complaint(server, places.servers);
    if (!why.empty()) throw Error("the plan's server " + server.label + " cannot be run: " + why);
  }
}

}  // namespace archbench
