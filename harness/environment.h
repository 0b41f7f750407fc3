// The machine and the build that a campaign is made with: the parts of campaign.json that are not
// the plan. What cannot be read is absent.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "harness/plan.h"

namespace archbench {

// Where archbench finds what it works with.
struct Places {
  std::filesystem::path self;     // folder of archbench itself
  std::filesystem::path servers;  // folder with the httpd_* binaries
  std::filesystem::path plans;    // plans that come with archbench
  std::filesystem::path script;   // report.lua, for wrk
  std::filesystem::path scripts;  // the Python programs; empty: not there
};

// `servers` is the user's choice; empty: beside archbench itself. Data are looked for where
// `install` puts them, then in the source tree that archbench was built from.
Places find_places(const std::filesystem::path& servers);

// `environment` and `provenance` of campaign.schema.json.
nlohmann::ordered_json read_environment();
nlohmann::ordered_json read_provenance(const Places& places, const Plan& plan);

// The generators that a plan uses, each once.
std::set<std::string> generators_of(const Plan& plan);

// SHA-256 in hexadecimal; empty when the file or the program sha256sum is missing.
std::string sha256_of(const std::filesystem::path& file);

// Lets this process and its children open as many descriptors as the administrator allows: every
// client costs one on both sides.
void raise_descriptor_limit();

}  // namespace archbench
