#include "harness/campaign/stopping.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>

#include "harness/error.h"

namespace archbench {
namespace {

using nlohmann::json;

// Is this a cell that the analysis would use? (A failed gate that invalidates takes it out.)
bool usable(const json& cell) {
  if (cell.at("status") != "ok" || cell.at("architecture") == "null") return false;
  for (const json& gate : cell.at("gates")) {
    if (gate.at("verdict") == "fail" && gate.value("effect", "") == "invalidates") return false;
  }
  return cell.at("measurements").contains("requests_per_cpu_s");
}

// 97.5 % quantile of Student's t for so many degrees of freedom.
double student(std::size_t freedom) {
  constexpr std::array kSmall{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                              2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131};
  if (freedom <= kSmall.size()) return kSmall.at(freedom - 1);
  // Cornish-Fisher's first terms, right to 0.001 from here on.
  const double z = 1.95996, n = static_cast<double>(freedom);
  return z + (z * z * z + z) / (4 * n) +
         (5 * std::pow(z, 5) + 16 * z * z * z + 3 * z) / (96 * n * n);
}

double half_width(const std::vector<double>& values) {
  const auto size = static_cast<double>(values.size());
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / size;
  for (const double value : values) squares += std::pow(value - mean, 2);
  return student(values.size() - 1) * std::sqrt(squares / (size - 1) / size);
}

using ByBlock = std::map<int, double>;  // log of requests per CPU-second

struct Condition {
  std::map<std::string, ByBlock> servers;  // by label
};

void look_at_pair(const std::string& name, const ByBlock& a, const ByBlock& b, double precision,
                  Look& look) {
  ++look.pairs;
  std::vector<double> ratios;
  for (const auto& [block, value] : a) {
    if (const auto other = b.find(block); other != b.end()) ratios.push_back(value - other->second);
  }
  if (ratios.size() < 2 || 2 * ratios.size() < static_cast<std::size_t>(look.blocks)) {
    ++look.not_measurable;
    return;
  }
  const double width = half_width(ratios);
  if (width <= precision) ++look.precise;
  if (width > look.widest) {
    look.widest = width;
    look.widest_pair = name;
  }
}

// The number at the beginning of `text`, and what is behind it.
std::pair<double, std::string> number_and_unit(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !(value > 0)) return {0, text};
  return {value, std::string(end, text.data() + text.size())};
}

}  // namespace

const std::vector<int>& looks() {
  static const std::vector<int> all{6, 8, 12, 16, 24, 32, 48, 64};
  return all;
}

int most_blocks() { return looks().back(); }

Look look_at(const std::vector<json>& cells, int blocks, double precision) {
  std::map<std::string, Condition> conditions;
  for (const json& cell : cells) {
    const int block = cell.at("block").get<int>();
    if (block >= blocks || cell.at("architecture") == "null") continue;
    const std::string condition = cell.at("workload").get<std::string>() + "/c" +
                                  cell.at("clients").dump() + "/k" + cell.at("cpus").dump();
    ByBlock& values = conditions[condition].servers[cell.at("label").get<std::string>()];
    if (!usable(cell)) continue;
    values[block] = std::log(cell["measurements"]["requests_per_cpu_s"].get<double>());
  }
  Look look;
  look.blocks = blocks;
  for (const auto& [condition, entry] : conditions) {
    const auto& servers = entry.servers;
    for (auto a = servers.begin(); a != servers.end(); ++a) {
      for (auto b = std::next(a); b != servers.end(); ++b) {
        look_at_pair(a->first + " : " + b->first + " " + condition, a->second, b->second, precision,
                     look);
      }
    }
  }
  return look;
}

nlohmann::ordered_json to_json(const Look& look) {
  nlohmann::ordered_json json{{"blocks", look.blocks},
                              {"pairs", look.pairs},
                              {"precise", look.precise},
                              {"not_measurable", look.not_measurable}};
  if (!look.widest_pair.empty()) {
    json["widest"] = look.widest;
    json["widest_pair"] = look.widest_pair;
  }
  return json;
}

double parse_precision(const std::string& text) {
  const auto [value, unit] = number_and_unit(text);
  const double share = unit == "%" || unit == " %" ? value / 100 : unit.empty() ? value : 0;
  if (!(share > 0 && share < 1)) {
    throw Error("--precision " + text + ": expected a part or per cent, for example 2%");
  }
  return share;
}

double parse_budget(const std::string& text) {
  const auto [value, unit] = number_and_unit(text);
  const double each = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (!(value * each > 0)) {
    throw Error("--budget " + text + ": expected a time, for example 90s, 30m or 2h");
  }
  return value * each;
}

}  // namespace archbench
