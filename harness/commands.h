// What archbench can be told to do besides `run` (campaign.h). Each returns the exit status.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace archbench {

// What would run: "N cells, M blocks, about T", a table, and what the programs that are there
// cannot do (then 1).
int show_plan(const std::string& plan, std::optional<std::uint64_t> seed,
              const std::filesystem::path& servers);

// The plans that come with archbench and the servers it finds, with their models.
int show_list(const std::filesystem::path& servers);

// Is this machine fit to run `plan` (empty: a small campaign)? 0 unless something blocks. `apply`
// changes what it may, until `restore` or the end of the next campaign.
enum class Remedy { none, apply, restore };
int show_doctor(const std::string& plan, const std::filesystem::path& servers, Remedy remedy);

// How far the campaign is and how its cells fared.
int show_status(const std::filesystem::path& directory);

// Does the folder keep its promises? 0 when it is complete and nothing is wrong.
int show_validity(const std::filesystem::path& directory);

// Becomes scripts/NAME.py, which takes `words` (and never returns). Throws Error when it is
// missing.
int become_script(const std::string& name, const std::vector<std::string>& words);

}  // namespace archbench
