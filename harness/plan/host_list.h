// Lists of hosts that other programs keep: Slurm's bracket lists and Ansible's inventories.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace archbench {

// "n[01-03,7],login" is n01 n02 n03 n7 login: what `scontrol show hostnames` says, which only nodes
// with Slurm have. Throws Error.
std::vector<std::string> expand_nodelist(std::string_view list);

struct InventoryHost {
  std::string name;
  std::map<std::string, std::string> variables;  // its own before its groups' before everybody's
};

// The hosts of `group`, those of the groups below it included, in the order of the file. Knows the
// ini form and, when the text begins with a YAML mapping, the form of nested mappings; no patterns
// and no expressions. Throws Error with `origin` and the line that was not understood.
std::vector<InventoryHost> read_inventory(const std::string& text, const std::string& origin,
                                          const std::string& group);

}  // namespace archbench
