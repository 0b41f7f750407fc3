// Checks a campaign's folder: is it complete, and does each line say what a cell must say?
//
// This is the part of results/schema that matters to somebody who is about to rely on the numbers;
// scripts/results.py checks every line against the schema itself.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace archbench {

// One sentence for each thing that is wrong; empty when nothing is. Throws Error when the folder
// cannot be read at all.
std::vector<std::string> check_campaign(const std::filesystem::path& directory);

// A campaign that is kept packed may be kept without the generators' own reports, for its size.
bool reports_set_aside(const std::filesystem::path& directory);

}  // namespace archbench
