// A server under test, as the runner sees it, and the real one: a process of this machine.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/os/process_tree.h"
#include "harness/os/subprocess.h"
#include "harness/plan/cell.h"
#include "harness/servers/counters.h"

namespace archbench {

// How to start it.
struct ServerStart {
  std::vector<int> cpus;                // it and all its processes stay on these
  std::filesystem::path raw_directory;  // its stderr is kept here,
  std::string file_stem;                // under names that begin like this
  std::filesystem::path files;          // folder of the plan's files; empty: there are none
  std::string origin;                   // URL behind /proxy/; empty: there is none
  std::string listen = "127.0.0.1";     // address
};

class Server {
 public:
  virtual ~Server() = default;

  // Returns the URL once it listens. Throws CellFailed when it does not.
  virtual std::string start(const Cell& cell, const ServerStart& how) = 0;

  virtual std::vector<std::string> command() const = 0;
  virtual std::optional<CounterTotals> counters() = 0;  // absent: it does not count
  virtual double cpu_s() = 0;
  virtual Census census() = 0;
  virtual bool running() = 0;

  // SHA-256 of the program that was started; empty: unknown.
  virtual std::string program_sha256() = 0;

  // Asks it to end. Returns false when it had to be killed or ended with an error.
  virtual bool stop() = 0;

  // Files it has written, relative to raw_directory; removes those that are empty.
  virtual std::vector<std::string> collect_raw_files() = 0;

  // Ends it the hard way; also after a failure, also when it is not running.
  virtual void abandon() noexcept = 0;
};

// SHA-256 of files, read again only when a file has changed.
class FileHashes {
 public:
  std::string of(const std::filesystem::path& file);

 private:
  struct Entry {
    std::string state;  // what changes when the file does: inode, size, time
    std::string sha256;
  };
  std::map<std::filesystem::path, Entry> known_;
};

class LocalServer : public Server {
 public:
  // `binaries` is the folder with httpd_mp, httpd_mt, httpd_edsm, httpd_st and the peers.
  // A pool of a thousand processes is started before the ready line is printed: hence 10 s.
  explicit LocalServer(std::filesystem::path binaries, double ready_patience_s = 10)
      : binaries_(std::move(binaries)), ready_patience_s_(ready_patience_s) {}
  ~LocalServer() override { abandon(); }

  std::string start(const Cell& cell, const ServerStart& how) override;
  std::vector<std::string> command() const override { return command_; }
  std::optional<CounterTotals> counters() override;
  double cpu_s() override { return tree_->cpu_seconds(); }
  Census census() override { return tree_->census(); }
  bool running() override { return child_ && !child_->ended(0); }
  std::string program_sha256() override { return sha256_; }
  bool stop() override;
  std::vector<std::string> collect_raw_files() override;
  void abandon() noexcept override;

 private:
  std::filesystem::path file(const std::string& end) const;
  std::string wait_until_ready(const ServerSpec& spec, const std::string& url);
  [[noreturn]] void not_ready() const;

  std::filesystem::path binaries_;
  double ready_patience_s_;
  FileHashes hashes_;
  ServerStart how_;
  std::vector<std::string> command_;
  std::string sha256_;
  std::filesystem::path counters_path_;
  bool custom_ = false;
  std::unique_ptr<Child> child_;
  std::optional<ProcessTree> tree_;
  std::unique_ptr<CounterFile> counters_;
};

// The command line of a cell's server. `port` is for custom servers, the others choose their own.
std::vector<std::string> server_command(const Cell& cell, const std::filesystem::path& binaries,
                                        const std::filesystem::path& counters,
                                        const ServerStart& how, int port);

// The program behind a server: in the servers' folder, or what a custom command begins with, looked
// for in $PATH.
std::filesystem::path server_program(const ServerSpec& server,
                                     const std::filesystem::path& binaries);

}  // namespace archbench
