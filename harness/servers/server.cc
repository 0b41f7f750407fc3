#include "harness/servers/server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>
#include <regex>

#include "harness/error.h"
#include "harness/os/subprocess.h"
#include "harness/os/system.h"
#include "harness/servers/probe.h"

namespace archbench {
namespace {

// The contract gives a server 5 seconds to finish what is in flight.
constexpr double kStopPatience = 6;

// Connections that the probe, the generator's own first look and a listening socket need beside the
// clients; a backlog of exactly `clients` could drop the last of a simultaneous start.
constexpr int kSpareBacklog = 16;

// As servers choose it themselves: a generator may hold idle and slow clients beside the others.
constexpr int kLeastBacklog = 4096;

std::string url_of_ready_line(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (json.is_object() && json.value("event", "") == "ready" && json.contains("url") &&
      json["url"].is_string()) {
    return json["url"].get<std::string>();
  }
  throw CellFailed("the server's first line was not its ready line but: " + line.substr(0, 200));
}

// A port that is free now. Whoever is told to use it may come too late: it then says so and the
// cell fails, which is rare and honest.
int free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool found = bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                     getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(probe);
  if (!found) throw CellFailed(errno_text("finding a free port for the server"));
  return ntohs(address.sin_port);
}

using Values = std::map<std::string, std::string>;

// "{port}" and the like replaced; a name that is not known stays as it is.
std::string filled(std::string text, const Values& values) {
  for (const auto& [name, value] : values) {
    const std::string mark = "{" + name + "}";
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += value.size()) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

Values values_of(const Cell& cell, const std::filesystem::path& counters, const ServerStart& how,
                 int port) {
  return {{"port", std::to_string(port)},
          {"cpus", std::to_string(cell.cpus)},
          {"clients", std::to_string(cell.clients)},
          {"backlog", std::to_string(std::max(kLeastBacklog, cell.clients + kSpareBacklog))},
          {"counters", counters.string()},
          {"files", how.files.string()},
          {"origin", how.origin}};
}

}  // namespace

std::string FileHashes::of(const std::filesystem::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return "";
  const std::string state = std::to_string(status.st_dev) + " " + std::to_string(status.st_ino) +
                            " " + std::to_string(status.st_size) + " " +
                            std::to_string(status.st_mtim.tv_sec) + " " +
                            std::to_string(status.st_mtim.tv_nsec);
  Entry& entry = known_[path];
  if (entry.state != state) entry = {state, sha256_of(path)};
  return entry.sha256;
}

std::filesystem::path server_program(const ServerSpec& server,
                                     const std::filesystem::path& binaries) {
  if (!server.custom()) return binaries / server.program;
  const std::string& name = server.command.front();
  if (name.find('/') != std::string::npos) return name;
  return find_in_path(name).value_or(name);
}

std::vector<std::string> server_command(const Cell& cell, const std::filesystem::path& binaries,
                                        const std::filesystem::path& counters,
                                        const ServerStart& how, int port) {
  const ServerSpec& server = cell.server;
  const Values values = values_of(cell, counters, how, port);
  std::vector<std::string> command;
  if (server.custom()) {
    for (const std::string& word : server.command) command.push_back(filled(word, values));
    return command;
  }
  command = {server_program(server, binaries).string(),
             "--listen",
             how.listen + ":0",
             "--cpus",
             values.at("cpus"),
             "--backlog",
             values.at("backlog"),
             "--counters",
             values.at("counters")};
  if (server.takes_model) command.insert(command.end(), {"--model", server.model});
  if (!how.files.empty()) command.insert(command.end(), {"--docroot", how.files.string()});
  if (!how.origin.empty())
    command.insert(command.end(), {"--origin", how.origin.substr(how.origin.rfind('/') + 1)});
  for (const auto* more : {&server.options, &cell.workload.server_options}) {
    // The null responder is no server: it knows what every server knows and no more.
    if (cell.is_ceiling()) break;
    for (const std::string& word : *more) command.push_back(filled(word, values));
  }
  return command;
}

std::filesystem::path LocalServer::file(const std::string& end) const {
  return how_.raw_directory / (how_.file_stem + ".server" + end);
}

std::string LocalServer::start(const Cell& cell, const ServerStart& how) {
  abandon();
  how_ = how;
  custom_ = cell.server.custom();
  counters_path_ = how.raw_directory / "counters.live";  // one name: it exists while a server runs
  const int port = custom_ ? free_port() : 0;
  command_ = server_command(cell, binaries_, counters_path_, how, port);
  sha256_ = hashes_.of(server_program(cell.server, binaries_));
  const std::string url = filled(cell.server.url, {{"port", std::to_string(port)}});
  try {
    // SIGTERM when archbench dies: a server ends its own processes in order, SIGKILL would orphan
    // them. What a custom server says is not read while it runs, so it goes to a file.
    child_ = std::make_unique<Child>(
        Program{.command = command_,
                .cpus = how.cpus,
                .stdout_file = url.empty() ? std::filesystem::path() : file(".out"),
                .stderr_file = file(".err"),
                .environment = {},
                .death_signal = SIGTERM});
  } catch (const Error& error) {
    throw CellFailed(error.what());
  }
  std::string where = wait_until_ready(cell.server, url);
  tree_.emplace(child_->pid());
  const auto has = [](const std::string& word) { return word.find("{counters}") != word.npos; };
  const auto& words = cell.server.command;
  // httpd_program runs what others wrote, which counts nothing: it makes no file.
  const bool counts = custom_ ? std::any_of(words.begin(), words.end(), has)
                              : std::filesystem::exists(counters_path_);
  if (counts) {
    counters_ = std::make_unique<CounterFile>(counters_path_);
  }
  return where;
}

// Our ready line, or what the plan says: a pattern in its output, or that the port answers.
std::string LocalServer::wait_until_ready(const ServerSpec& spec, const std::string& url) {
  if (url.empty()) {
    const auto line = child_->read_line(ready_patience_s_);
    if (!line) not_ready();
    return url_of_ready_line(*line);
  }
  constexpr double kLookEvery = 0.02;
  MonotonicClock clock;
  const std::regex pattern(spec.ready);
  for (const double deadline = clock.now() + ready_patience_s_; clock.now() < deadline;) {
    if (child_->ended(0)) break;
    if (spec.ready.empty() && can_connect(url)) return url;
    for (const char* end : {".out", ".err"}) {
      const std::string said = read_file(file(end)).value_or("");
      std::smatch match;
      if (spec.ready.empty() || !std::regex_search(said, match, pattern)) continue;
      return filled(url, {{"1", match.size() > 1 ? match[1].str() : ""}});
    }
    clock.sleep_until(clock.now() + kLookEvery);
  }
  not_ready();
}

void LocalServer::not_ready() const {
  const bool died = child_->ended(0.2);  // its output closes a moment before it has ended
  const auto said = read_value(file(".err")).value_or("");
  throw CellFailed((died
                        ? "the server ended with " + child_->how_it_ended() + " before it was ready"
                        : "the server was not ready within " +
                              std::to_string(std::lround(ready_patience_s_)) + " s") +
                   (said.empty() ? "" : "; it said: " + said.substr(0, 500)));
}

std::optional<CounterTotals> LocalServer::counters() {
  if (!counters_) return std::nullopt;
  return counters_->read();
}

bool LocalServer::stop() {
  child_->signal(SIGTERM);
  const bool in_time = child_->ended(kStopPatience);
  // Other people's programs let SIGTERM kill them, which is their good right.
  const bool well = in_time && (custom_ || child_->succeeded());
  abandon();
  return well;
}

std::vector<std::string> LocalServer::collect_raw_files() {
  return keep_with_content(how_.raw_directory,
                           {file(".err").filename().string(), file(".out").filename().string()});
}

void LocalServer::abandon() noexcept {
  counters_.reset();
  tree_.reset();
  child_.reset();
  std::error_code ignored;
  if (!counters_path_.empty()) std::filesystem::remove(counters_path_, ignored);
}

}  // namespace archbench
