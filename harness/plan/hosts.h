// The machines of a plan: one for the server, one or more for the load, and how ssh reaches each.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/plan/field.h"

namespace archbench {

struct Host {
  std::string name;              // as its list calls it
  std::string destination;       // what ssh is told: a name, an address or an alias, with user@
  std::vector<std::string> ssh;  // options for ssh
};

struct Hosts {
  Host server;
  std::vector<Host> generators;
  std::string server_address;  // where clients reach the server; empty: what its name stands for
  std::string directory;       // for archbench's files on every host; empty: below ~/.cache
};

// What a plan says about hosts, not looked up yet: names, or a list that has them.
struct HostsWanted {
  std::string list;  // "slurm", or an Ansible inventory's path; empty: the names are here
  std::string server;
  std::vector<std::string> generators;
  std::vector<std::string> ssh_options;
  std::string server_address;
  std::string directory;
};

// The field `hosts` of a plan. Throws Error.
HostsWanted read_hosts(const Field& field);

// Looks names up. SLURM_JOB_NODELIST: its first node is the server. Ansible: the groups `server`
// and `generators`. Throws Error.
Hosts find_hosts(const HostsWanted& wanted);

}  // namespace archbench
