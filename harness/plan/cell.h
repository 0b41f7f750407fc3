// What is measured once: one server under one workload, with so many clients on so many CPUs.
#pragma once

#include <string>
#include <vector>

namespace archbench {

struct ServerSpec {
  std::string architecture;          // mp, mt, edsm, st, peer, null or custom
  std::string model;                 // the way it is built
  std::string label;                 // its name in figures
  std::vector<std::string> options;  // further ones on its command line, as the plan gives them
  std::string twin_of =
      {};  // the label of which this is the A/A twin: the same server; empty: none

  // Of ours and of peers: the program in the servers' folder. Empty for a custom server.
  std::string program = {};
  bool takes_model = true;  // --model is on its command line

  // Of a custom server, with its placeholders.
  std::vector<std::string> command = {};
  std::string ready =
      {};                // regular expression; empty: our ready line, or that `url` can be reached
  std::string url = {};  // empty: the ready line says it

  bool custom() const { return !command.empty(); }
};

// One path of a mix, and how often it is asked for in relation to the others.
struct WeightedPath {
  std::string path;
  double weight = 1;
};

struct Workload {
  std::string name;
  std::string path;                    // what every client asks for; of a mix the first
  bool keepalive = true;               // false: one connection for each request
  std::vector<WeightedPath> mix = {};  // empty: `path` alone
  std::string generator = "wrk";
  std::vector<std::string> generator_options = {};
  std::vector<std::string> server_options = {};
  // Where this workload differs from the plan; empty: as the plan says.
  std::vector<std::string> labels = {};  // of the servers that it is asked of
  std::vector<int> clients = {};
  std::vector<int> cpus = {};
  double rate = 0;      // offered requests per second; 0: closed loop
  bool origin = false;  // the servers fetch from a null responder that is run beside them
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

  // What the cells of one comparison have in common: workload/cCLIENTS/kCPUS.
  std::string condition() const;

  // A name for this cell's raw files: sorts in the order of running and is safe in any shell.
  std::string file_stem() const;

  // A run of the null responder, which says what the generator can do.
  bool is_ceiling() const { return server.architecture == "null"; }
};

// The null responder as a server.
ServerSpec ceiling_server();

}  // namespace archbench
