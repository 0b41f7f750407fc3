// The folder of a campaign: campaign.json, cells.jsonl, raw/. Lines are only ever added.
//
// A line is written with one call and fsynced before the next cell begins. Whatever ends archbench,
// at most the line being written is torn; opening the folder again moves such a tail into raw/ and
// its cell is measured once more.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace archbench {

class Store {
 public:
  // Begins the campaign in `directory`, or goes on with it when it is there already. Throws Error
  // when the folder holds another campaign (its plan, seed, cells or server binaries differ), is
  // damaged, or is in use by another archbench.
  static Store open(const std::filesystem::path& directory, const nlohmann::ordered_json& campaign);

  Store(Store&& other) noexcept;
  ~Store();

  bool has(const std::string& cell) const { return cells_.contains(cell); }
  std::size_t size() const { return cells_.size(); }
  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path raw_directory() const { return directory_ / "raw"; }

  // What opening had to repair, as a sentence; empty when nothing.
  const std::string& note() const { return note_; }

  void append(const nlohmann::ordered_json& cell);

 private:
  Store() = default;
  void load_cells();

  std::filesystem::path directory_;
  int file_ = -1;  // cells.jsonl, locked while this object lives
  std::set<std::string> cells_;
  std::string note_;
};

// Cells of a campaign without opening it for writing; a torn last line is left out. Throws Error
// that names file and line when a line is not a cell.
std::vector<nlohmann::json> read_cells(const std::filesystem::path& directory);

// campaign.json of a folder. Throws Error.
nlohmann::json read_campaign(const std::filesystem::path& directory);

// Why `b` cannot go on in a folder begun with `a`, as a sentence; empty when it can.
std::string difference(const nlohmann::json& a, const nlohmann::json& b);

// The newest campaign in `parent` that `campaign` could go on with and that is not complete; empty
// path when there is none.
std::filesystem::path find_unfinished(const std::filesystem::path& parent,
                                      const nlohmann::json& campaign);

}  // namespace archbench
