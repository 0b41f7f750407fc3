#include "harness/server.h"

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "harness/error.h"
#include "harness/system.h"

namespace archbench {
namespace {

// A pool of a thousand processes is started before the ready line is printed.
constexpr double kReadyPatience = 10;  // seconds

// The contract gives a server 5 seconds to finish what is in flight.
constexpr double kStopPatience = 6;

// Connections that the probe, the generator's own first look and a listening socket need beside the
// clients; a backlog of exactly `clients` could drop the last of a simultaneous start.
constexpr int kSpareBacklog = 16;

std::string url_of_ready_line(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (json.is_object() && json.value("event", "") == "ready" && json.contains("url") &&
      json["url"].is_string()) {
    return json["url"].get<std::string>();
  }
  throw CellFailed("the server's first line was not its ready line but: " + line.substr(0, 200));
}

}  // namespace

std::filesystem::path server_binary(const std::filesystem::path& binaries,
                                    const std::string& architecture) {
  return binaries / ("httpd_" + architecture);
}

std::filesystem::path LocalServer::error_file() const {
  return how_.raw_directory / (how_.file_stem + ".server.err");
}

std::string LocalServer::start(const Cell& cell, const ServerStart& how) {
  abandon();
  how_ = how;
  counters_path_ = how.raw_directory / "counters.live";  // one name: it exists while a server runs
  command_ = {server_binary(binaries_, cell.server.architecture).string(),
              "--listen",
              "127.0.0.1:0",
              "--model",
              cell.server.model,
              "--cpus",
              std::to_string(cell.cpus),
              "--backlog",
              std::to_string(std::max(128, cell.clients + kSpareBacklog)),
              "--counters",
              counters_path_.string()};
  command_.insert(command_.end(), cell.server.args.begin(), cell.server.args.end());
  try {
    // SIGTERM when archbench dies: a server ends its own processes in order, SIGKILL would orphan
    // them.
    child_ = std::make_unique<Child>(Program{.command = command_,
                                             .cpus = how.cpus,
                                             .stdout_file = {},
                                             .stderr_file = error_file(),
                                             .environment = {},
                                             .death_signal = SIGTERM});
  } catch (const Error& error) {
    throw CellFailed(error.what());
  }
  const auto line = child_->read_line(kReadyPatience);
  if (!line) {
    const bool died = child_->ended(0.2);  // its output closes a moment before it has ended
    const auto said = read_value(error_file()).value_or("");
    throw CellFailed(
        (died ? "the server ended with " + child_->how_it_ended() + " before it was ready"
              : std::string("the server was not ready within 10 s")) +
        (said.empty() ? "" : "; it said: " + said.substr(0, 500)));
  }
  std::string url = url_of_ready_line(*line);
  tree_.emplace(child_->pid());
  counters_ = std::make_unique<CounterFile>(counters_path_);
  return url;
}

bool LocalServer::stop() {
  child_->signal(SIGTERM);
  const bool in_time = child_->ended(kStopPatience);
  const bool well = in_time && child_->succeeded();
  abandon();
  return well;
}

std::vector<std::string> LocalServer::collect_raw_files() {
  return keep_with_content(how_.raw_directory, {error_file().filename().string()});
}

void LocalServer::abandon() noexcept {
  counters_.reset();
  tree_.reset();
  child_.reset();
  std::error_code ignored;
  if (!counters_path_.empty()) std::filesystem::remove(counters_path_, ignored);
}

}  // namespace archbench
