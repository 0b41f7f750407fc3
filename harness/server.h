// A server under test, as the runner sees it, and the real one: a process of this machine.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/cell.h"
#include "harness/counters.h"
#include "harness/process_tree.h"
#include "harness/subprocess.h"

namespace archbench {

// How to start it.
struct ServerStart {
  std::vector<int> cpus;                // it and all its processes stay on these
  std::filesystem::path raw_directory;  // its stderr is kept here,
  std::string file_stem;                // under a name that begins like this
};

class Server {
 public:
  virtual ~Server() = default;

  // Returns the URL once it listens. Throws CellFailed when it does not.
  virtual std::string start(const Cell& cell, const ServerStart& how) = 0;

  virtual std::vector<std::string> command() const = 0;
  virtual CounterTotals counters() = 0;
  virtual double cpu_s() = 0;
  virtual Census census() = 0;
  virtual bool running() = 0;

  // Asks it to end. Returns false when it had to be killed or ended with an error.
  virtual bool stop() = 0;

  // Files it has written, relative to raw_directory; removes those that are empty.
  virtual std::vector<std::string> collect_raw_files() = 0;

  // Ends it the hard way; also after a failure, also when it is not running.
  virtual void abandon() noexcept = 0;
};

class LocalServer : public Server {
 public:
  // `binaries` is the folder with httpd_mp, httpd_mt, httpd_edsm and httpd_st.
  explicit LocalServer(std::filesystem::path binaries) : binaries_(std::move(binaries)) {}
  ~LocalServer() override { abandon(); }

  std::string start(const Cell& cell, const ServerStart& how) override;
  std::vector<std::string> command() const override { return command_; }
  CounterTotals counters() override { return counters_->read(); }
  double cpu_s() override { return tree_->cpu_seconds(); }
  Census census() override { return tree_->census(); }
  bool running() override { return child_ && !child_->ended(0); }
  bool stop() override;
  std::vector<std::string> collect_raw_files() override;
  void abandon() noexcept override;

 private:
  std::filesystem::path error_file() const;

  std::filesystem::path binaries_;
  ServerStart how_;
  std::vector<std::string> command_;
  std::filesystem::path counters_path_;
  std::unique_ptr<Child> child_;
  std::optional<ProcessTree> tree_;
  std::unique_ptr<CounterFile> counters_;
};

std::filesystem::path server_binary(const std::filesystem::path& binaries,
                                    const std::string& architecture);

}  // namespace archbench
