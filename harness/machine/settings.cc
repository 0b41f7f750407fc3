#include "harness/machine/settings.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/error.h"
#include "harness/os/system.h"

namespace archbench {
namespace {

using nlohmann::json;

// The kernel takes one write for one value; a list of choices shows the present one in brackets.
bool write_setting(const std::string& file, const std::string& value) {
  std::ofstream out(file);
  out << value << std::flush;
  return out.good();
}

std::string present_value(const std::string& file) {
  const std::string text = read_value(file).value_or("");
  const std::size_t open = text.find('['), close = text.find(']');
  if (open == std::string::npos || close == std::string::npos) return text;
  return text.substr(open + 1, close - open - 1);
}

json read_state(const std::filesystem::path& state) {
  const auto text = read_file(state);
  if (!text) return json();
  json found = json::parse(*text, nullptr, false);
  if (found.is_object() && found.contains("owner") && found.contains("changes")) return found;
  throw Error(state.string() + " is not archbench's; look at it, and remove it");
}

void write_state(const std::filesystem::path& state, const json& content) {
  const std::filesystem::path unfinished = state.string() + ".new";
  std::ofstream out(unfinished);
  out << content.dump(2) << "\n" << std::flush;
  std::error_code error;
  if (out.good()) std::filesystem::rename(unfinished, state, error);
  if (!out.good() || error) {
    throw Error("writing " + state.string() + " failed, so nothing was changed: without it the " +
                "old values would be lost; are you root?");
  }
}

}  // namespace

Settings::Settings(std::filesystem::path state)
    : state_(state.empty() ? "/run/archbench-settings.json" : std::move(state)) {}

bool Settings::changed() const { return std::filesystem::exists(state_); }

std::vector<std::string> Settings::apply(const std::vector<Finding>& findings, int owner) {
  std::vector<std::string> said;
  json state = read_state(state_);
  if (state.is_null()) state = {{"changes", json::array()}};
  state["owner"] = owner;
  for (const Finding& finding : findings) {
    if (finding.file.empty()) continue;
    const std::string file = finding.file.string();
    state["changes"].push_back(
        {{"file", file}, {"before", present_value(file)}, {"after", finding.value}});
    write_state(state_, state);  // before the change, so that no moment loses the old value
    if (write_setting(file, finding.value)) {
      said.push_back(finding.name + ": " + state["changes"].back()["before"].get<std::string>() +
                     " -> " + finding.value);
    } else {
      said.push_back(finding.name + ": could not be changed (" + file + "); " + finding.advice);
      state["changes"].erase(state["changes"].size() - 1);
      write_state(state_, state);
    }
  }
  if (state["changes"].empty()) std::filesystem::remove(state_);
  return said;
}

std::vector<std::string> Settings::restore() {
  std::vector<std::string> said;
  const json state = read_state(state_);
  if (state.is_null()) return said;
  const json& changes = state["changes"];
  // The last change first: a setting changed twice ends with its first value.
  for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
    const std::string file = change->at("file"), before = change->at("before");
    if (present_value(file) != change->at("after").get<std::string>()) {
      said.push_back(file + ": changed by somebody else meanwhile, left as it is");
    } else if (write_setting(file, before)) {
      said.push_back(file + ": back to " + before);
    } else {
      said.push_back(file + ": could not be put back to " + before);
    }
  }
  std::filesystem::remove(state_);
  return said;
}

void Settings::guard() const {
  if (!changed()) return;
  int alive[2];  // whose write end only this process has: it closes when this process has ended
  if (pipe2(alive, O_CLOEXEC) != 0) throw Error(errno_text("making a pipe"));
  const pid_t guardian = fork();
  if (guardian < 0) throw Error(errno_text("starting a process that puts settings back"));
  close(alive[guardian == 0 ? 1 : 0]);
  if (guardian > 0) return;
  setsid();
  char nothing = 0;
  while (read(alive[0], &nothing, 1) < 0 && errno == EINTR) continue;
  try {
    for (const auto& sentence : Settings(state_).restore()) {
      std::fprintf(stderr, "%s\n", sentence.c_str());
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "archbench: %s\n", error.what());
  }
  _exit(0);
}

std::vector<std::string> Settings::restore_if_abandoned() {
  const json state = read_state(state_);
  if (state.is_null()) return {};
  const int owner = state["owner"].get<int>();
  const bool lives = owner == 0 || owner == getpid() || kill(owner, 0) == 0 || errno == EPERM;
  return lives ? std::vector<std::string>() : restore();
}

}  // namespace archbench
