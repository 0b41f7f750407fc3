// What is measured once: one server under one workload, with so many clients on so many CPUs.
#pragma once

#include <string>
#include <vector>

namespace archbench {

struct ServerSpec {
  std::string architecture;       // mp, mt, edsm or st: the binary is httpd_<architecture>
  std::string model;              // the way it is built, given as --model
  std::string label;              // its name in figures
  std::vector<std::string> args;  // further options of the server, as the plan gives them
};

struct Workload {
  std::string name;
  std::string path;       // what every client asks for
  bool keepalive = true;  // false: one connection for each request
};

struct Cell {
  ServerSpec server;
  Workload workload;
  int clients = 0;  // simultaneous connections
  int cpus = 0;     // given to the server
  int block = 0;    // from 0
  int order = 0;    // position in its block, from 0

  // The identity: architecture/model/label/workload/cCLIENTS/kCPUS/bBLOCK. The order is not part
  // of it, because the seed decides the order and the identity must not depend on the seed.
  std::string id() const;

  // A name for this cell's raw files: sorts in the order of running and is safe in any shell.
  std::string file_stem() const;
};

}  // namespace archbench
