// One host of a campaign: its agent, and the calls to it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/os/system.h"
#include "harness/plan/hosts.h"
#include "harness/site/ssh.h"

namespace archbench {

class Link {
 public:
  // `programs`: what is copied there, by the name it has there. archbench itself is among them.
  // Nothing is copied that is there already with the same SHA-256.
  Link(Host host, std::string directory, std::map<std::string, std::filesystem::path> programs);

  const std::string& name() const { return host_.name; }
  bool up() const { return agent_ != nullptr; }

  // Connects, unless it is connected. Returns what the agent says of its machine. Throws
  // CellFailed.
  const nlohmann::json& connect();

  // Asks the agent and returns what it gives. Throws CellFailed with its sentence, or when there is
  // no answer within `patience` seconds: then the host is lost until connect().
  nlohmann::json call(const std::string& what, nlohmann::json arguments = nlohmann::json::object(),
                      double patience = kPatience);

  // The two halves of call(), for asking several hosts at the same time.
  void ask(const std::string& what, nlohmann::json arguments = nlohmann::json::object());
  nlohmann::json answer(double patience = kPatience);

  // For abandon(): whatever happens, nothing is thrown.
  void call_quietly(const std::string& what) noexcept;

  // What to add to our clock to have the host's, from the fastest of some questions.
  double clock_ahead_s(Clock& clock);

  // Longer than the longest thing an agent does without being told how long: to stop a server takes
  // 6 s, to start one 10 s.
  static constexpr double kPatience = 30;

 private:
  [[noreturn]] void lose(const std::string& why);
  std::string put_programs(nlohmann::json& there);

  Host host_;
  std::string directory_;
  std::map<std::string, std::filesystem::path> programs_;
  std::unique_ptr<Ssh> ssh_;
  std::unique_ptr<Child> agent_;
  nlohmann::json machine_;
  std::uint64_t asked_ = 0;
};

}  // namespace archbench
