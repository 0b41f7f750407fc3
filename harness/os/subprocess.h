// A program started by archbench: where it runs, what it says, and its certain end.
//
// Every child leads its own process group, so that ^C in the terminal reaches archbench alone and
// so that the child's own children can be ended with it. A child never outlives archbench: the
// kernel sends it `death_signal` when archbench dies, however that happens.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace archbench {

struct Program {
  std::vector<std::string> command;        // path of the program first
  std::vector<int> cpus = {};              // CPUs to run on; empty: any
  std::filesystem::path stdout_file = {};  // empty: read with read_line()
  std::filesystem::path stderr_file = {};  // empty: archbench's own
  std::vector<std::pair<std::string, std::string>> environment = {};  // added to archbench's own
  int death_signal = SIGKILL;
  std::filesystem::path stdin_file = {};  // empty: there is nothing to read
  bool talk = false;                      // its standard input is what say() is given
};

class Child {
 public:
  explicit Child(const Program& program);  // throws Error when the program cannot be started
  ~Child();                                // kill()
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }

  // Next line of its standard output without the newline; absent after `seconds`, or when it has
  // closed its output. Throws Interrupted.
  std::optional<std::string> read_line(double seconds);

  // Writes a line to its standard input (`talk`); throws Error when nobody reads it any more.
  void say(const std::string& line);

  // True once it has ended; waits at most `seconds`.
  bool ended(double seconds);

  void signal(int number);

  // Ends it and whatever it left in its process group, and reaps all of them. May be called twice.
  void kill();

  // How it ended, in words: "exit status 3", "signal 11 (Segmentation fault)". Only after ended().
  std::string how_it_ended() const;
  bool succeeded() const { return status_ == 0; }

 private:
  pid_t pid_ = -1;
  int pidfd_ = -1;
  int output_ = -1;  // our end of its standard output, or -1
  int input_ = -1;   // our end of its standard input, or -1
  std::string pending_;
  bool ended_ = false;   // it is dead; its zombie keeps the pid ours until kill()
  bool reaped_ = false;  // nothing of it is left
  int status_ = -1;      // as waitpid() reports it
};

// Standard output of a short command; absent when it cannot be started or, unless `any_status`,
// fails.
std::optional<std::string> capture(const std::vector<std::string>& command,
                                   bool any_status = false);

// SHA-256 in hexadecimal; empty when the file or the program sha256sum is missing.
std::string sha256_of(const std::filesystem::path& file);

}  // namespace archbench
