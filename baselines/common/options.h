// The command line that all servers share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "baselines/common/site.h"

namespace baselines {

struct Server;

// One way to build an architecture: a line in the table of its main.cc, and a file of its own.
struct Model {
  const char* name;
  const char* sentence;           // for --help
  void (*serve)(Server& server);  // returns when the server has been stopped and has finished
};

// What one binary is; constant.
struct Program {
  const char* sentence;           // the architecture, for --help
  std::span<const Model> models;  // the first is the default
  // Values of --event, the first is the default; none: the binary has no such option.
  std::span<const char* const> events = {};
  // The same for --accept.
  std::span<const char* const> accepts = {};
};

struct Options {
  // What Apache's prefork allows by default, so that a comparison begins level.
  static constexpr int kDefaultPool = 256;

  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one
  const Model* model = nullptr;
  std::string event;
  std::string accept;
  int cpus = 0;        // 0: not given
  int workers = 0;     // 0: the model's own default
  int backlog = 4096;  // the kernel's own limit, net.core.somaxconn, since 5.4
  std::string docroot;
  std::chrono::nanoseconds idle_timeout = SiteOptions{}.idle_timeout;
  std::size_t max_connections = 0;  // 0: as many as the kernel allows
  std::string counters;
  std::string disk_file;
  std::string origin_host;  // empty: none
  std::uint16_t origin_port = 0;

  int processes() const { return cpus == 0 ? 1 : cpus; }  // where the architecture has one per CPU
  int pool_size() const { return workers == 0 ? kDefaultPool : workers; }  // of those who may block
  std::string listen() const;  // as it was given, for messages
};

// Thrown when the command line is answered by text instead of a server: --help, --version,
// mistakes.
struct Answered {
  int exit_code;     // 0: the text is for stdout; 2: one sentence for stderr
  std::string text;  // without the program's name; ends in a newline when for stdout
};

Options parse_options(int argc, const char* const* argv, const Program& program);

}  // namespace baselines
