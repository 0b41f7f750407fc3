#include "harness/generators/generator_process.h"

#include <algorithm>

#include "harness/error.h"
#include "harness/os/process_tree.h"
#include "harness/os/system.h"

namespace archbench {

std::filesystem::path GeneratorProcess::file(const std::string& end) const {
  return load_.raw_directory / (load_.file_stem + "." + name_ + end);
}

int GeneratorProcess::even_threads(int clients, std::size_t cpus) {
  int threads = std::min(clients, static_cast<int>(cpus));
  while (clients % threads != 0) --threads;
  return threads;
}

void GeneratorProcess::start(const Load& load) {
  load_ = load;
  // Of a torn attempt: they must not be taken for ours.
  for (const char* end : {".json", ".txt", ".err"}) std::filesystem::remove(file(end));
  launch_ = prepare(load);
  const auto& more = load.workload.generator_options;
  // Behind the program's name, so that what must come last stays last.
  launch_.command.insert(launch_.command.begin() + 1, more.begin(), more.end());
  try {
    child_ = std::make_unique<Child>(Program{.command = launch_.command,
                                             .cpus = load.cpus,
                                             .stdout_file = file(".txt"),
                                             .stderr_file = file(".err"),
                                             .environment = launch_.environment});
  } catch (const Error& error) {
    throw CellFailed(error.what());
  }
}

double GeneratorProcess::cpu_s() {
  if (!child_) return 0;
  double sum = process_cpu_seconds(child_->pid()).value_or(0);
  for (const pid_t child : children_of(child_->pid())) {
    sum += process_cpu_seconds(child).value_or(0);
  }
  return sum;
}

std::vector<double> GeneratorProcess::worker_cpu_s() {
  return child_ ? worker_cpu_seconds(child_->pid()) : std::vector<double>();
}

GeneratorReport GeneratorProcess::finish() {
  if (launch_.end_signal != 0) child_->signal(launch_.end_signal);
  if (!child_->ended(launch_.patience_s)) {
    child_.reset();
    throw CellFailed(name_ + " did not end in time; it was killed");
  }
  const std::string how = child_->how_it_ended();
  const bool succeeded =
      child_->succeeded() || how == "exit status " + std::to_string(launch_.end_status);
  child_.reset();
  const auto errors = read_value(file(".err"));
  const std::string said = errors && !errors->empty() ? "; it said: " + errors->substr(0, 500) : "";
  if (!succeeded) throw CellFailed(name_ + " failed with " + how + said);
  try {
    return read_report(load_);
  } catch (const CellFailed& failure) {
    throw CellFailed(failure.what() + said);
  }
}

std::vector<std::string> GeneratorProcess::collect_raw_files() {
  if (load_.clients == 0) return {};  // nothing was started
  std::vector<std::string> names;
  for (const char* end : {".json", ".txt", ".err"}) names.push_back(file(end).filename().string());
  return keep_with_content(load_.raw_directory, names);
}

void GeneratorProcess::abandon() noexcept {
  child_.reset();
  load_ = {};
  launch_ = {};
}

}  // namespace archbench
