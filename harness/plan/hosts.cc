#include "harness/plan/hosts.h"

#include <cstdlib>

#include "harness/error.h"
#include "harness/os/system.h"
#include "harness/plan/host_list.h"

namespace archbench {
namespace {

Host host_of(const InventoryHost& listed) {
  const auto value = [&](const char* name) {
    const auto found = listed.variables.find(name);
    return found == listed.variables.end() ? std::string() : found->second;
  };
  Host host{listed.name, value("ansible_host"), {}};
  if (host.destination.empty()) host.destination = listed.name;
  for (const auto& [variable, option] : {std::pair{"ansible_user", "-l"},
                                         {"ansible_port", "-p"},
                                         {"ansible_ssh_private_key_file", "-i"}}) {
    if (const std::string given = value(variable); !given.empty()) {
      host.ssh.insert(host.ssh.end(), {option, given});
    }
  }
  return host;
}

void take_slurm(Hosts& hosts) {
  const char* list = std::getenv("SLURM_JOB_NODELIST");
  if (list == nullptr || *list == '\0') {
    throw Error(
        "the plan takes its hosts from Slurm, but SLURM_JOB_NODELIST is not set; run it "
        "inside an allocation (salloc, sbatch)");
  }
  for (const std::string& name : expand_nodelist(list)) {
    hosts.generators.push_back({name, name, {}});
  }
  hosts.server = hosts.generators.front();
  hosts.generators.erase(hosts.generators.begin());
}

void take_inventory(const std::string& file, Hosts& hosts) {
  const auto text = read_file(file);
  if (!text) throw Error(errno_text("reading the inventory " + file));
  const auto servers = read_inventory(*text, file, "server");
  if (servers.size() != 1) {
    throw Error(file + ": expected one host in the group \"server\", got " +
                std::to_string(servers.size()));
  }
  hosts.server = host_of(servers.front());
  for (const InventoryHost& listed : read_inventory(*text, file, "generators")) {
    hosts.generators.push_back(host_of(listed));
  }
}

}  // namespace

HostsWanted read_hosts(const Field& field) {
  field.allow_only({"list", "server", "generators", "ssh_options", "server_address", "directory"});
  HostsWanted wanted;
  const auto take = [&](const char* name, std::string& to) {
    if (const auto given = field.find(name)) to = given->text();
  };
  take("list", wanted.list);
  take("server_address", wanted.server_address);
  take("directory", wanted.directory);
  if (const auto options = field.find("ssh_options")) {
    for (const Field& option : options->items()) wanted.ssh_options.push_back(option.text());
  }
  if (!wanted.list.empty()) {
    for (const char* name : {"server", "generators"}) {
      if (const auto given = field.find(name)) given->refuse("the \"list\" says it already");
    }
    return wanted;
  }
  wanted.server = field.at("server").text();
  for (const Field& host : field.at("generators").items()) {
    wanted.generators.push_back(host.text());
  }
  return wanted;
}

Hosts find_hosts(const HostsWanted& wanted) {
  Hosts hosts;
  hosts.server_address = wanted.server_address;
  hosts.directory = wanted.directory;
  if (wanted.list == "slurm") {
    take_slurm(hosts);
  } else if (!wanted.list.empty()) {
    take_inventory(wanted.list, hosts);
  } else {
    hosts.server = {wanted.server, wanted.server, {}};
    for (const std::string& name : wanted.generators) hosts.generators.push_back({name, name, {}});
  }
  if (hosts.generators.empty()) {
    throw Error("there is no host for a generator beside the server's (" + hosts.server.name + ")");
  }
  const auto add = [&](Host& host) {
    host.ssh.insert(host.ssh.begin(), wanted.ssh_options.begin(), wanted.ssh_options.end());
  };
  add(hosts.server);
  for (Host& host : hosts.generators) add(host);
  return hosts;
}

}  // namespace archbench
