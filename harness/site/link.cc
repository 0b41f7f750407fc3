#include "harness/site/link.h"

#include <cmath>

#include "harness/error.h"
#include "harness/os/subprocess.h"

namespace archbench {

using nlohmann::json;

Link::Link(Host host, std::string directory, std::map<std::string, std::filesystem::path> programs)
    : host_(std::move(host)), directory_(std::move(directory)), programs_(std::move(programs)) {
  programs_["archbench"] = std::filesystem::read_symlink("/proc/self/exe");
}

// Returns the folder there; `there` gets the path of each program. A program's folder has the name
// of its content, so that hosts which share a home, and campaigns that share a host, share copies.
std::string Link::put_programs(json& there) {
  std::string script =
      "umask 077; base=" +
      (directory_.empty() ? std::string("${XDG_CACHE_HOME:-$HOME/.cache}/archbench")
                          : shell_quoted(directory_)) +
      "; mkdir -p \"$base\" && cd \"$base\" && pwd || exit; ";
  std::map<std::string, std::string> hashes;
  for (const auto& [name, file] : programs_) {
    hashes[name] = sha256_of(file);
    if (hashes[name].empty()) throw Error("cannot read " + file.string() + ", to copy it");
    script += "[ -x " + hashes[name] + "/" + shell_quoted(name) + " ] || echo " + name + "; ";
  }
  std::string said = ssh_->run(script + ":");
  const std::string base = said.substr(0, said.find('\n'));
  for (const auto& [name, hash] : hashes) {
    there[name] = base + "/" + hash + "/" + name;
    if (said.find("\n" + name + "\n") != std::string::npos)
      ssh_->put(programs_.at(name), there[name]);
  }
  return base;
}

const json& Link::connect() {
  if (up()) return machine_;
  json there;
  try {
    ssh_ = std::make_unique<Ssh>(host_);
    const std::string base = put_programs(there);
    agent_ =
        ssh_->start("exec " + shell_quoted(there.at("archbench")) + " agent " + shell_quoted(base));
  } catch (const Error& error) {
    throw CellFailed("host " + host_.name + ": " + error.what());
  }
  machine_ = call("begin", {{"programs", there}});
  return machine_;
}

void Link::lose(const std::string& why) {
  agent_.reset();
  ssh_.reset();
  throw CellFailed("host " + host_.name + " is lost: " + why);
}

void Link::ask(const std::string& what, json arguments) {
  if (!up()) lose("there is no connection to it");
  arguments["id"] = ++asked_;
  arguments["do"] = what;
  try {
    agent_->say(arguments.dump());
  } catch (const Error& error) {
    lose(error.what());
  }
}

json Link::answer(double patience) {
  for (;;) {
    if (!up()) lose("there is no connection to it");
    const auto line = agent_->read_line(patience);
    if (!line) {
      lose(agent_->ended(0.2)
               ? "its end of the connection has gone (" + agent_->how_it_ended() + ")"
               : "no answer for " + std::to_string(std::lround(patience)) + " s");
    }
    const json answer = json::parse(*line, nullptr, false);
    if (!answer.is_object()) lose("it said something else than an answer: " + line->substr(0, 200));
    // An answer that nobody waited for any more, because another host failed first.
    if (answer.value("id", asked_) != asked_) continue;
    if (answer.contains("failed")) {
      throw CellFailed(host_.name + ": " + answer["failed"].get<std::string>());
    }
    return answer.value("gives", json());
  }
}

json Link::call(const std::string& what, json arguments, double patience) {
  ask(what, std::move(arguments));
  return answer(patience);
}

void Link::call_quietly(const std::string& what) noexcept {
  try {
    if (up()) call(what);
  } catch (const std::exception&) {
    // Interrupted, or lost: what runs there ends when the connection does.
    agent_.reset();
    ssh_.reset();
  }
}

double Link::clock_ahead_s(Clock& clock) {
  constexpr int kQuestions = 5;
  double best = 0, fastest = 1e9;
  for (int i = 0; i < kQuestions; ++i) {
    const double asked = clock.now();
    const double there = call("time");
    const double took = clock.now() - asked;
    if (took < fastest) {
      fastest = took;
      best = there - (asked + took / 2);  // wrong by half of `took` at most
    }
  }
  return best;
}

}  // namespace archbench
