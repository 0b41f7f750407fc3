// OpenSSH to one host: put files, run commands, start a program to talk to.
//
// One connection for all of them (ControlMaster): it is authenticated once, and everything after
// that takes a round trip. It ends with this object, and with archbench, however that ends.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/os/subprocess.h"
#include "harness/plan/hosts.h"

namespace archbench {

// A folder of its own in $TMPDIR for one connection's socket and for what ssh complains about. It
// is locked while this object lives; one that a killed archbench has left is removed by the next.
class SocketFolder {
 public:
  SocketFolder();
  ~SocketFolder();
  SocketFolder(const SocketFolder&) = delete;
  SocketFolder& operator=(const SocketFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

class Ssh {
 public:
  explicit Ssh(const Host& host);  // throws CellFailed when it cannot be reached

  // Standard output of a shell script there. Throws CellFailed with what it said when it fails.
  std::string run(const std::string& script);

  // Copies a program to `path` there, at once or not at all, also when others copy it, too.
  void put(const std::filesystem::path& program, const std::string& path);

  // Starts it; its standard input is written with say() and read with read_line().
  std::unique_ptr<Child> start(const std::string& script);

 private:
  Program program(const std::string& script) const;
  std::string result(Child& child, const std::string& what);

  Host host_;
  SocketFolder scratch_;
  std::unique_ptr<Child> master_;  // ends before its folder goes
};

// 'text' for a POSIX shell.
std::string shell_quoted(const std::string& text);

}  // namespace archbench
