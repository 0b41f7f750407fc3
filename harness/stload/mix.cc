#include "harness/stload/mix.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "harness/stload/error.h"

namespace stload {
namespace {

using nlohmann::json;

// A mix of more paths than that is a slip of the finger: their names alone would fill the memory.
constexpr std::size_t kMostPaths = 1'000'000;

// One {name} in a path: numbers from `from` on, the k-th of which (k from 1) has weight 1 / k^zipf.
struct Variable {
  std::string name;
  long from = 0;
  long count = 0;
  double zipf = 0;  // 0: all alike
};

class MixReader {
 public:
  explicit MixReader(std::string origin) : origin_(std::move(origin)) {}

  std::vector<WeightedPath> read(const json& document) {
    if (!document.is_object() || !document.contains("paths") || !document["paths"].is_array() ||
        document["paths"].empty()) {
      fail("", "an object with \"paths\", a list that is not empty, is expected");
    }
    only_known(document, "", {"paths"});
    for (std::size_t i = 0; i < document["paths"].size(); ++i) {
      read_entry(document["paths"][i], "/paths/" + std::to_string(i));
    }
    return std::move(paths_);
  }

 private:
  [[noreturn]] void fail(const std::string& place, const std::string& text) const {
    throw Fatal(origin_ + (place.empty() ? "" : ": " + place) + ": " + text);
  }

  void only_known(const json& object, const std::string& place,
                  std::initializer_list<const char*> known) const {
    for (const auto& [key, value] : object.items()) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      std::string names;
      for (const char* name : known) names += (names.empty() ? "" : ", ") + std::string(name);
      fail(place + "/" + key, "is not known; there are: " + names);
    }
  }

  double number(const json& object, const char* key, double otherwise, double low, double high,
                const std::string& place) const {
    if (!object.contains(key)) return otherwise;
    const json& value = object[key];
    if (!value.is_number() || value.get<double>() < low || value.get<double>() > high) {
      std::ostringstream text;
      text << value.dump() << ": a number from " << low << " to " << high << " is expected";
      fail(place + "/" + key, text.str());
    }
    return value.get<double>();
  }

  long whole(const json& object, const char* key, double otherwise, double low,
             const std::string& place) const {
    const double value = number(object, key, otherwise, low, kMostPaths, place);
    if (value != std::floor(value)) {
      fail(place + "/" + key, object[key].dump() + ": a whole number is expected");
    }
    return static_cast<long>(value);
  }

  void read_entry(const json& entry, const std::string& place) {
    if (!entry.is_object()) fail(place, "an object is expected");
    only_known(entry, place, {"path", "weight", "vary"});
    if (!entry.contains("path") || !entry["path"].is_string() ||
        !entry["path"].get<std::string>().starts_with('/')) {
      fail(place + "/path", "a text that begins with '/' is expected");
    }
    const auto path = entry["path"].get<std::string>();
    const double weight = number(entry, "weight", 1, 1e-12, 1e12, place);
    std::vector<Variable> variables;
    if (entry.contains("vary")) {
      const std::string vary = place + "/vary";
      if (!entry["vary"].is_object()) fail(vary, "an object is expected");
      for (const auto& [name, value] : entry["vary"].items()) {
        variables.push_back(read_variable(name, value, path, vary + "/" + name));
      }
    }
    expand(path, weight, variables, place);
  }

  Variable read_variable(const std::string& name, const json& value, const std::string& path,
                         const std::string& place) const {
    if (!value.is_object() || !value.contains("count")) {
      fail(place, "an object with \"count\" is expected");
    }
    only_known(value, place, {"from", "count", "zipf"});
    if (path.find("{" + name + "}") == std::string::npos) {
      fail(place, "the path has no {" + name + "}");
    }
    return {name, whole(value, "from", 0, 0, place), whole(value, "count", 1, 1, place),
            number(value, "zipf", 0, 0, 10, place)};
  }

  // Every combination of the variables is a path; its weight is the entry's, shared out.
  void expand(const std::string& path, double weight, std::span<const Variable> variables,
              const std::string& place) {
    if (variables.empty()) {
      if (path.find_first_of("{} \r\n") != std::string::npos) {
        fail(place + "/path", "\"" + path + "\" still has a brace, or white space, in it");
      }
      if (paths_.size() == kMostPaths) fail(place, "there are more than 1,000,000 paths");
      paths_.push_back({path, weight});
      return;
    }
    const Variable& variable = variables.front();
    double sum = 0;
    for (long k = 1; k <= variable.count; ++k) sum += std::pow(k, -variable.zipf);
    for (long k = 1; k <= variable.count; ++k) {
      std::string filled = path;
      const std::string name = "{" + variable.name + "}";
      for (std::size_t at; (at = filled.find(name)) != std::string::npos;) {
        filled.replace(at, name.size(), std::to_string(variable.from + k - 1));
      }
      expand(filled, weight * std::pow(k, -variable.zipf) / sum, variables.subspan(1), place);
    }
  }

  std::string origin_;
  std::vector<WeightedPath> paths_;
};

}  // namespace

std::vector<WeightedPath> parse_mix(const std::string& text, const std::string& origin) {
  json document;
  try {
    document = json::parse(text);
  } catch (const json::exception& error) {
    throw Fatal(origin + " is not JSON: " + error.what());
  }
  return MixReader(origin).read(document);
}

std::vector<WeightedPath> load_mix(const std::filesystem::path& file) {
  return parse_mix(read_file(file), file.string());
}

Picker::Picker(const std::vector<WeightedPath>& paths) : slots_(paths.size()) {
  double sum = 0;
  for (const WeightedPath& path : paths) sum += path.weight;
  std::vector<std::size_t> poor, rich;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    slots_[i].share = paths[i].weight / sum * static_cast<double>(paths.size());
    slots_[i].other = i;
    (slots_[i].share < 1 ? poor : rich).push_back(i);
  }
  // A slot that is not full is filled up by a number that has more than one slot.
  while (!poor.empty() && !rich.empty()) {
    const std::size_t filled = poor.back();
    const std::size_t giver = rich.back();
    poor.pop_back();
    slots_[filled].other = giver;
    slots_[giver].share -= 1 - slots_[filled].share;
    if (slots_[giver].share < 1) {
      rich.pop_back();
      poor.push_back(giver);
    }
  }
  // What is left is full but for rounding.
  for (const std::size_t i : poor) slots_[i].share = 1;
  for (const std::size_t i : rich) slots_[i].share = 1;
}

}  // namespace stload
