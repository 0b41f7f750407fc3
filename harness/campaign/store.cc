#include "harness/campaign/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "harness/error.h"
#include "harness/os/subprocess.h"
#include "harness/os/system.h"
#include "harness/plan/field.h"

namespace archbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

// The cells of a campaign that is kept for good: a tenth as large, and finished.
constexpr const char* kPacked = "cells.jsonl.xz";

void write_all(int file, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    const ssize_t n = write(file, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error(errno_text("writing " + path.string()));
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (fsync(file) != 0) throw Error(errno_text("making " + path.string() + " durable"));
}

void sync_directory(const fs::path& directory) {
  const int file = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  fsync(file);
  close(file);
}

// Under its name the file is either absent or whole.
void write_whole(const fs::path& path, const std::string& text) {
  const fs::path unfinished = path.string() + ".new";
  const int file = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) throw Error(errno_text("writing " + unfinished.string()));
  write_all(file, text, unfinished);
  close(file);
  fs::rename(unfinished, path);
  sync_directory(path.parent_path());
}

// Lines that end in a newline; `torn` becomes what follows the last of them.
std::vector<json> parse_lines(const std::string& text, const fs::path& path, std::string& torn) {
  std::vector<json> lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const json line = json::parse(text.substr(begin, end - begin), nullptr, false);
    if (!line.is_object() || !line.contains("cell") || !line["cell"].is_string()) {
      throw Error(
          path.string() + ": line " + std::to_string(lines.size() + 1) +
          " is not a cell; nothing was changed. Copy the campaign, then remove that line by "
          "hand to have its cell measured again");
    }
    lines.push_back(line);
  }
  torn = text.substr(begin);
  return lines;
}

// Programs by path, as far as they were known. `list` is servers or generators.
std::vector<std::pair<std::string, std::string>> programs(const json& campaign, const char* list) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const json& program : campaign.at("provenance").value(list, json::array())) {
    found.emplace_back(program.at("path").get<std::string>(), program.value("sha256", ""));
  }
  return found;
}

// The hosts of a plan that has some, and what must not change of the generators' ones.
json hosts(const json& campaign) {
  json found;
  if (!campaign.contains("hosts")) return found;
  found.push_back(campaign["hosts"].at("server"));
  for (const json& generator : campaign["hosts"].at("generators")) {
    const json& environment = generator.at("environment");
    found.push_back({generator.at("host"), environment.value("kernel", ""),
                     environment.value("cpu_model", "")});
  }
  return found;
}

// What else must not change, or cells of different machines would stand side by side.
std::string other_machine(const json& a, const json& b) {
  const auto differs = [&](const char* part, const char* name) {
    const json empty = json::object();
    return a.value(part, empty).value(name, json()) != b.value(part, empty).value(name, json());
  };
  for (const char* name : {"kernel", "cpu_model", "machine", "cpus"}) {
    if (differs("environment", name)) {
      return std::string("the machine is another one than it began on (") + name + ")";
    }
  }
  for (const char* name : {"archbench_sha256", "compiler", "build_type", "build_flags"}) {
    if (differs("provenance", name)) {
      return std::string("archbench has been built anew since it began (") + name + ")";
    }
  }
  return "";
}

}  // namespace

std::string difference(const json& a, const json& b) {
  try {
    if (a.at("plan") != b.at("plan")) return "the plan has changed since the campaign began";
    if (hosts(a) != hosts(b)) return "its hosts are others than it began with, or have changed";
    if (a.at("seed") != b.at("seed")) {
      return "it began with seed " + a.at("seed").dump() + ", not " + b.at("seed").dump();
    }
    if (a.at("cells_total") != b.at("cells_total")) {
      return "it began with " + a.at("cells_total").dump() + " cells, now there would be " +
             b.at("cells_total").dump() + " (another number of CPUs?)";
    }
    if (programs(a, "servers") != programs(b, "servers")) {
      return "the servers have been built anew since it began, and one campaign measures one build";
    }
    if (programs(a, "generators") != programs(b, "generators")) {
      return "the load generators are others than it began with";
    }
    if (a.value("stopping", json::object()).value("precision", json()) !=
        b.value("stopping", json::object()).value("precision", json())) {
      return "its --precision is another one";
    }
    return other_machine(a, b);
  } catch (const json::exception& error) {
    return std::string("its campaign.json is not one of archbench's: ") + error.what();
  }
}

bool is_complete(const fs::path& directory, const json& campaign) {
  const auto text = read_file(directory / "stop.json");
  const json stop = text ? json::parse(*text, nullptr, false) : json();
  if (stop.is_object() && stop.value("stopped", "") == "precision") return true;
  return read_cells(directory).size() >= campaign.at("cells_total").get<std::size_t>();
}

json read_campaign(const fs::path& directory) {
  const fs::path path = directory / "campaign.json";
  const auto text = read_file(path);
  if (!text) throw Error(errno_text("reading " + path.string()) + "; is this a campaign's folder?");
  return parse_json(*text, path.string());
}

bool is_packed(const fs::path& directory) { return fs::exists(directory / kPacked); }

std::vector<json> read_cells(const fs::path& directory) {
  const fs::path path = directory / "cells.jsonl", packed = directory / kPacked;
  std::optional<std::string> text;
  if (is_packed(directory)) {
    text = capture({"xz", "-dc", packed.string()});
    if (!text) throw Error("unpacking " + packed.string() + " failed; is xz installed?");
  } else {
    text = read_file(path);
  }
  std::string torn;
  return parse_lines(text.value_or(""), path, torn);
}

fs::path find_unfinished(const fs::path& parent, const json& campaign) {
  fs::path newest;
  std::string newest_start;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent, ignored)) {
    if (!fs::is_regular_file(entry.path() / "campaign.json", ignored)) continue;
    try {
      const json other = read_campaign(entry.path());
      if (!difference(other, campaign).empty()) continue;
      if (is_complete(entry.path(), other)) continue;
      const auto start = other.at("started_utc").get<std::string>();
      if (start < newest_start) continue;
      newest = entry.path();
      newest_start = start;
    } catch (const std::exception&) {
      continue;  // somebody else's folder, or a damaged one: never chosen without being named
    }
  }
  return newest;
}

Store Store::open(const fs::path& directory, const ordered_json& campaign) {
  if (is_packed(directory)) {
    throw Error(directory.string() + " is kept packed, and nothing is added to it; measure into " +
                "another folder, or unpack " + kPacked + " with xz -d first");
  }
  Store store;
  store.directory_ = directory;
  std::error_code error;
  fs::create_directories(directory / "raw", error);
  if (error) throw Error("making the folder " + directory.string() + ": " + error.message());

  const fs::path path = directory / "cells.jsonl";
  store.file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (store.file_ < 0) throw Error(errno_text("opening " + path.string()));
  // The lock goes away with the process, however it ends.
  if (flock(store.file_, LOCK_EX | LOCK_NB) != 0) {
    throw Error(directory.string() + " is in use by another archbench; wait for it to end");
  }
  struct stat status {};
  if (fstat(store.file_, &status) != 0) throw Error(errno_text("reading " + path.string()));

  if (fs::exists(directory / "campaign.json")) {
    const std::string why = difference(read_campaign(directory), json(campaign));
    if (!why.empty()) {
      throw Error(directory.string() + " holds another campaign: " + why +
                  ". Give --out another folder to begin a new one");
    }
  } else if (status.st_size > 0) {
    throw Error(directory.string() +
                " has cells.jsonl but no campaign.json: nobody can say what was "
                "measured there. Give --out another folder");
  } else {
    write_whole(directory / "campaign.json", campaign.dump(2) + "\n");
  }
  store.load_cells();
  return store;
}

void Store::load_cells() {
  const fs::path path = directory_ / "cells.jsonl";
  const std::string text = read_file(path).value_or("");
  std::string torn;
  for (const json& line : parse_lines(text, path, torn)) {
    const auto cell = line["cell"].get<std::string>();
    if (!cells_.insert(cell).second) {
      throw Error(path.string() + ": the cell " + cell + " is there twice; nothing was changed");
    }
    lines_.push_back(line);
  }
  if (torn.empty()) return;
  // First kept elsewhere, then cut off: at no time are these bytes nowhere.
  fs::path kept;
  for (int i = 0; kept.empty() || fs::exists(kept); ++i) {
    kept = raw_directory() / ("torn-line-" + std::to_string(i) + ".txt");
  }
  write_whole(kept, torn);
  if (ftruncate(file_, static_cast<off_t>(text.size() - torn.size())) != 0 || fsync(file_) != 0) {
    throw Error(errno_text("cutting the torn last line off " + path.string()));
  }
  note_ = "the last line of cells.jsonl was torn; it is kept as " + kept.string() +
          " and its cell is measured again";
}

Store::Store(Store&& other) noexcept
    : directory_(std::move(other.directory_)),
      file_(std::exchange(other.file_, -1)),
      cells_(std::move(other.cells_)),
      note_(std::move(other.note_)),
      lines_(std::move(other.lines_)),
      waiting_(std::move(other.waiting_)),
      trouble_(std::move(other.trouble_)) {}

Store::~Store() {
  if (file_ >= 0) close(file_);
}

void Store::append(const ordered_json& cell) {
  // Text from outside (a server's stderr) may hold bytes that are not UTF-8: replaced, not refused.
  waiting_.push_back(cell.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
  cells_.insert(cell.at("cell").get<std::string>());
  lines_.push_back(json(cell));
  flush();
}

bool Store::flush() {
  while (!waiting_.empty()) {
    struct stat before {};
    if (fstat(file_, &before) != 0) throw Error(errno_text("reading cells.jsonl"));
    try {
      write_all(file_, waiting_.front(), directory_ / "cells.jsonl");
    } catch (const Error& error) {
      trouble_ = error.what();
      // What was written of the line would be torn. Should even this fail, opening the folder again
      // cuts it off.
      [[maybe_unused]] const int ignored = ftruncate(file_, before.st_size);
      return false;
    }
    waiting_.erase(waiting_.begin());
  }
  trouble_.clear();
  return true;
}

void Store::write_stop(const ordered_json& stop) const {
  try {
    write_whole(directory_ / "stop.json", stop.dump(2) + "\n");
  } catch (const std::exception&) {
  }
}

}  // namespace archbench
