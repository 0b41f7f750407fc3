#include "harness/wrk.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/error.h"
#include "harness/process_tree.h"
#include "harness/system.h"

namespace archbench {
namespace {

// Answers later than this are left out of the histogram. Long enough for a starved client to be
// seen in it; wrk reserves 8 bytes for each microsecond of it, of which only the used pages become
// resident.
constexpr const char* kTimeout = "10s";

constexpr const char* kReportVariable = "ARCHBENCH_WRK_REPORT";  // report.lua reads it

}  // namespace

Wrk::Wrk(std::filesystem::path program, std::filesystem::path script)
    : program_(std::move(program)), script_(std::move(script)) {}

int wrk_threads(int clients, int cpus) {
  int threads = std::min(clients, cpus);
  while (clients % threads != 0) --threads;
  return threads;
}

void Wrk::start(const Load& load) {
  load_ = load;
  threads_ = wrk_threads(load.clients, static_cast<int>(load.cpus.size()));
  command_ = {program_.string(), "--threads", std::to_string(threads_), "--connections",
              std::to_string(load.clients),
              // wrk knows whole seconds only; finish() ends it when the window has passed.
              "--duration", std::to_string(static_cast<long>(std::ceil(load.longest_s))) + "s",
              "--timeout", kTimeout, "--script", script_.string()};
  if (!load.keepalive) {
    // wrk ignores a header without a space behind the colon.
    command_.insert(command_.end(), {"--header", "Connection: close"});
  }
  command_.push_back(load.url + load.path);

  const auto file = [&](const char* end) { return load.raw_directory / (load.file_stem + end); };
  std::filesystem::remove(file(".wrk.json"));  // of a torn attempt: it must not be taken for ours
  try {
    child_ = std::make_unique<Child>(
        Program{.command = command_,
                .cpus = load.cpus,
                .stdout_file = file(".wrk.txt"),
                .stderr_file = file(".wrk.err"),
                .environment = {{kReportVariable, file(".wrk.json").string()}}});
  } catch (const Error& error) {
    throw CellFailed(error.what());
  }
}

bool Wrk::running() { return child_ && !child_->ended(0); }

double Wrk::cpu_s() { return child_ ? process_cpu_seconds(child_->pid()).value_or(0) : 0; }

std::vector<std::string> Wrk::collect_raw_files() {
  if (load_.clients == 0) return {};  // nothing was started
  const std::string& stem = load_.file_stem;
  return keep_with_content(load_.raw_directory,
                           {stem + ".wrk.json", stem + ".wrk.txt", stem + ".wrk.err"});
}

void Wrk::abandon() noexcept {
  child_.reset();
  load_ = {};
  command_.clear();
}

GeneratorReport Wrk::finish() {
  // wrk answers SIGINT by stopping its threads (they look every 100 ms) and reporting as usual.
  // Walking a histogram of many clients takes it a moment more.
  constexpr double kPatience = 10;
  child_->signal(SIGINT);
  if (!child_->ended(kPatience)) {
    child_.reset();
    throw CellFailed("wrk did not end within 10 s of being asked to");
  }
  const std::string how = child_->how_it_ended();
  const bool succeeded = child_->succeeded();
  child_.reset();
  const auto errors = read_value(load_.raw_directory / (load_.file_stem + ".wrk.err"));
  const std::string said = errors && !errors->empty() ? "; it said: " + *errors : "";
  if (!succeeded) throw CellFailed("wrk failed with " + how + said);
  const auto report = read_file(load_.raw_directory / (load_.file_stem + ".wrk.json"));
  if (!report) throw CellFailed("wrk wrote no report" + said);
  return parse_wrk_report(*report, load_.clients);
}

Histogram uncorrect(const Histogram& corrected, std::uint64_t expected_us) {
  if (expected_us == 0) return corrected;  // wrk would have looped for ever; it never happens
  Histogram raw;
  auto later = corrected.begin();  // walks to the first entry at or above latency + e
  for (const auto& [latency_us, count] : corrected) {
    std::uint64_t added = 0;
    if (latency_us > expected_us) {
      while (later != corrected.end() && later->latency_us < latency_us + expected_us) ++later;
      if (later != corrected.end() && later->latency_us == latency_us + expected_us) {
        added = later->count;
      }
    }
    if (added > count) {
      throw CellFailed("wrk's latency correction could not be removed: " + std::to_string(count) +
                       " answers at " + std::to_string(latency_us) + " us, of which " +
                       std::to_string(added) + " would have been added");
    }
    if (count > added) raw.push_back({latency_us, count - added});
  }
  return raw;
}

GeneratorReport parse_wrk_report(const std::string& json_text, int clients) {
  GeneratorReport report;
  try {
    const auto json = nlohmann::json::parse(json_text);
    const auto& errors = json.at("errors");
    report.requests = json.at("requests").get<std::uint64_t>();
    report.bytes = json.at("bytes").get<std::uint64_t>();
    report.errors_connect = errors.at("connect").get<std::uint64_t>();
    report.errors_read = errors.at("read").get<std::uint64_t>();
    report.errors_write = errors.at("write").get<std::uint64_t>();
    report.errors_timeout = errors.at("timeout").get<std::uint64_t>();
    report.errors_status = errors.at("status").get<std::uint64_t>();
    const auto duration_us = json.at("duration_us").get<std::uint64_t>();
    report.duration_s = 1e-6 * static_cast<double>(duration_us);
    for (const auto& pair : json.at("latency_us")) {
      report.latency.push_back({pair.at(0).get<std::uint64_t>(), pair.at(1).get<std::uint64_t>()});
    }
    // The same integer divisions as in wrk, so that e is the same number; below one answer for each
    // connection it corrects nothing.
    const std::uint64_t each = report.requests / static_cast<std::uint64_t>(clients);
    if (each > 0) report.latency = uncorrect(report.latency, duration_us / each);
  } catch (const nlohmann::json::exception& error) {
    throw CellFailed(std::string("wrk's report was not understood: ") + error.what());
  }
  // Every answer is in the histogram or was too late for it. Should the correction have been made
  // in another way, this would not come out even.
  const std::uint64_t recorded = total_count(report.latency) + report.errors_timeout;
  if (recorded != report.requests) {
    throw CellFailed("wrk's latencies do not add up: " + std::to_string(report.requests) +
                     " answers, but " + std::to_string(recorded) + " of them have a latency");
  }
  return report;
}

std::string wrk_version(const std::filesystem::path& program) {
  const auto text = capture({program.string(), "-v"}, true);  // it exits with 1
  return text ? text->substr(0, text->find('\n')) : "";
}

}  // namespace archbench
