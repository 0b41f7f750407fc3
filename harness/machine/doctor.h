// Is this machine fit to measure on? Each finding says what is so, what it spoils and what to do.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "harness/os/places.h"

namespace archbench {

enum class Health {
  ok,
  warn,   // numbers will be worse or mean something else
  block,  // there will be no numbers
  unknown,
};

struct Finding {
  std::string name;
  Health health = Health::unknown;
  std::string found;
  std::string why;     // what it spoils
  std::string advice;  // what to do
  // What `doctor --apply` would write where; empty: nothing it may do.
  std::filesystem::path file = {};
  std::string value = {};
};

// What is about to be run; the defaults are those of a small campaign.
struct Demand {
  int most_clients = 1024;
  int most_cpus = 1;
  std::set<std::filesystem::path> servers;  // programs; empty: nothing is asked about them
  std::set<std::string> generators{"wrk"};
};

// Watches the machine for half a second; changes nothing.
std::vector<Finding> examine(const Places& places, const Demand& demand);

bool any_block(const std::vector<Finding>& findings);

// As text for a person: everything, or only what is not well.
std::string to_text(const std::vector<Finding>& findings, bool only_trouble);

// As `doctor` in campaign.json.
nlohmann::ordered_json to_json(const std::vector<Finding>& findings);

}  // namespace archbench
