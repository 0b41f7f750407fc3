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

  // Adds a line. When it cannot be written (disk full, read-only) it is kept in memory and tried
  // again with the next one; nothing half-written stays in the file.
  void append(const nlohmann::ordered_json& cell);

  // Lines that are not yet in the file, and why. flush() tries once more; true: none is left.
  std::size_t unwritten() const { return waiting_.size(); }
  const std::string& trouble() const { return trouble_; }
  bool flush();

  // All cells so far, those that wait included.
  const std::vector<nlohmann::json>& cells() const { return lines_; }

  // stop.json, under its name either absent or whole. A folder that cannot be written to is no
  // reason to stop: what it says can be worked out again from the cells.
  void write_stop(const nlohmann::ordered_json& stop) const;

 private:
  Store() = default;
  void load_cells();

  std::filesystem::path directory_;
  int file_ = -1;  // cells.jsonl, locked while this object lives
  std::set<std::string> cells_;
  std::string note_;
  std::vector<nlohmann::json> lines_;
  std::vector<std::string> waiting_;
  std::string trouble_;
};

// Is it kept for good, its cells packed into cells.jsonl.xz?
bool is_packed(const std::filesystem::path& directory);

// Cells of a campaign without opening it for writing; a torn last line is left out. Throws Error
// that names file and line when a line is not a cell.
std::vector<nlohmann::json> read_cells(const std::filesystem::path& directory);

// campaign.json of a folder. Throws Error.
nlohmann::json read_campaign(const std::filesystem::path& directory);

// Why `b` cannot go on in a folder begun with `a`, as a sentence; empty when it can.
std::string difference(const nlohmann::json& a, const nlohmann::json& b);

// Whether a campaign has all its cells, or stopped because it was precise enough.
bool is_complete(const std::filesystem::path& directory, const nlohmann::json& campaign);

// The newest campaign in `parent` that `campaign` could go on with and that is not complete; empty
// path when there is none.
std::filesystem::path find_unfinished(const std::filesystem::path& parent,
                                      const nlohmann::json& campaign);

}  // namespace archbench
