#include "harness/plan/host_list.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "harness/error.h"

namespace archbench {
namespace {

using Variables = std::map<std::string, std::string>;

bool all_digits(std::string_view text) {
  return !text.empty() && text.size() < 9 && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
  });
}

// "01".."03" keep their zeros.
std::vector<std::string> count_up(std::string_view first, std::string_view last) {
  if (!all_digits(first) || !all_digits(last)) {
    throw Error("\"" + std::string(first) + "\" to \"" + std::string(last) +
                "\" is not a range of numbers");
  }
  std::vector<std::string> all;
  const int end = std::stoi(std::string(last));
  for (int i = std::stoi(std::string(first)); i <= end; ++i) {
    std::string number = std::to_string(i);
    if (number.size() < first.size()) number.insert(0, first.size() - number.size(), '0');
    all.push_back(number);
  }
  return all;
}

// One name with at most a few brackets; `dash` stands between the ends of a range: - in Slurm, : in
// Ansible.
std::vector<std::string> expand_name(std::string_view name, char dash) {
  const std::size_t open = name.find('[');
  if (open == std::string_view::npos) return {std::string(name)};
  const std::size_t close = name.find(']', open);
  if (close == std::string_view::npos) throw Error("\"" + std::string(name) + "\" lacks a ]");
  std::vector<std::string> middles;
  std::string_view inside = name.substr(open + 1, close - open - 1);
  while (!inside.empty()) {
    const std::string_view item = inside.substr(0, inside.find(','));
    inside.remove_prefix(std::min(inside.size(), item.size() + 1));
    const std::size_t at = item.find(dash);
    const auto last = at == std::string_view::npos ? item : item.substr(at + 1);
    for (auto& number : count_up(item.substr(0, at), last)) middles.push_back(std::move(number));
  }
  std::vector<std::string> all;
  for (const std::string& middle : middles) {
    for (const std::string& rest : expand_name(name.substr(close + 1), dash)) {
      all.push_back(std::string(name.substr(0, open)) + middle + rest);
    }
  }
  return all;
}

struct Group {
  std::vector<std::string> hosts, children;
  Variables variables;
};

struct Inventory {
  std::map<std::string, Group> groups;
  std::map<std::string, Variables> hosts;

  void collect(const std::string& name, Variables inherited, std::set<std::string> above,
               std::vector<InventoryHost>& to) const {
    const auto found = groups.find(name);
    if (found == groups.end() || !above.insert(name).second) return;
    for (const auto& [key, value] : found->second.variables) inherited[key] = value;
    for (const std::string& host : found->second.hosts) {
      const bool known = std::any_of(
          to.begin(), to.end(), [&](const InventoryHost& other) { return other.name == host; });
      if (known) continue;
      Variables variables = hosts.at(host);
      variables.insert(inherited.begin(), inherited.end());
      to.push_back({host, variables});
    }
    for (const std::string& child : found->second.children) collect(child, inherited, above, to);
  }
};

struct Line {
  int number = 0;
  std::size_t indent = 0;
  std::string text;
};

// Without comments, empty lines and the spaces around.
std::vector<Line> significant_lines(const std::string& text, const char* comments) {
  std::vector<Line> lines;
  std::size_t begin = 0;
  for (int number = 1; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos ||
        std::string_view(comments).find(line[first]) != std::string_view::npos || line == "---") {
      continue;
    }
    if (const std::size_t tail = line.find(" #"); tail != std::string::npos) line.resize(tail);
    line.resize(line.find_last_not_of(" \t\r") + 1);
    lines.push_back({number, first, line.substr(first)});
  }
  return lines;
}

[[noreturn]] void not_understood(const std::string& origin, const Line& line, const char* wanted) {
  throw Error(origin + ": line " + std::to_string(line.number) + ": expected " + wanted +
              ", got \"" + line.text + "\"");
}

std::string unquoted(std::string text) {
  const bool quoted = text.size() > 1 && text.front() == text.back() &&
                      (text.front() == '"' || text.front() == '\'');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// "name key=value key=value"
void read_ini_host(const Line& line, const std::string& origin, Group& group, Inventory& all) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < line.text.size();) {
    const std::size_t end = std::min(line.text.find_first_of(" \t", at), line.text.size());
    words.push_back(line.text.substr(at, end - at));
    at = std::min(line.text.find_first_not_of(" \t", end), line.text.size());
  }
  for (const std::string& host : expand_name(words.front(), ':')) {
    group.hosts.push_back(host);
    Variables& variables = all.hosts[host];
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::size_t equals = words[i].find('=');
      if (equals == std::string::npos) not_understood(origin, line, "NAME KEY=VALUE...");
      variables[words[i].substr(0, equals)] = unquoted(words[i].substr(equals + 1));
    }
  }
}

Inventory read_ini(const std::string& text, const std::string& origin) {
  Inventory all;
  std::string group = "ungrouped", part;
  for (const Line& line : significant_lines(text, "#;")) {
    if (line.text.front() == '[') {
      if (line.text.back() != ']') not_understood(origin, line, "[GROUP]");
      group = line.text.substr(1, line.text.size() - 2);
      const std::size_t colon = group.find(':');
      part = colon == std::string::npos ? "" : group.substr(colon + 1);
      group.resize(std::min(colon, group.size()));
    } else if (part == "vars") {
      const std::size_t equals = line.text.find('=');
      if (equals == std::string::npos) not_understood(origin, line, "KEY=VALUE");
      const std::size_t end = line.text.find_last_not_of(" \t", equals - 1) + 1;
      const std::size_t begin =
          std::min(line.text.find_first_not_of(" \t", equals + 1), line.text.size());
      all.groups[group].variables[line.text.substr(0, end)] = unquoted(line.text.substr(begin));
    } else if (part == "children") {
      all.groups[group].children.push_back(line.text);
    } else {
      read_ini_host(line, origin, all.groups[group], all);
    }
  }
  return all;
}

// Mappings of mappings, one key on a line, deeper lines belong to the key above them. The path of
// keys above a line says what it is: a group, its hosts, its vars, its children.
Inventory read_yaml(const std::string& text, const std::string& origin) {
  Inventory all;
  std::vector<std::pair<std::size_t, std::string>> path;
  for (const Line& line : significant_lines(text, "#")) {
    // Not the one in a range of hosts: the one before a space, or at the end.
    std::size_t colon = line.text.find(": ");
    if (colon == std::string::npos && line.text.ends_with(':')) colon = line.text.size() - 1;
    if (colon == std::string::npos || line.text.starts_with("- ")) {
      not_understood(origin, line, "KEY: or KEY: VALUE");
    }
    while (!path.empty() && path.back().first >= line.indent) path.pop_back();
    const std::string key = unquoted(line.text.substr(0, colon));
    const std::size_t begin = line.text.find_first_not_of(' ', colon + 1);
    const std::string value = begin == std::string::npos ? "" : unquoted(line.text.substr(begin));
    path.emplace_back(line.indent, key);
    const auto above = [&](std::size_t steps) {
      return path.size() > steps ? path[path.size() - 1 - steps].second : "";
    };
    // Names are at odd depths, GROUP/hosts/HOST, GROUP/children/GROUP and GROUP/vars/KEY; at even
    // ones are the words between them, and GROUP/hosts/HOST/KEY.
    if (path.size() % 2 == 0) {
      if (above(2) != "hosts") continue;
      for (const std::string& host : expand_name(above(1), ':')) all.hosts[host][key] = value;
      continue;
    }
    if (path.size() == 1 || above(1) == "children") {
      all.groups[key];
      if (path.size() > 1) all.groups[above(2)].children.push_back(key);
    } else if (above(1) == "vars") {
      all.groups[above(2)].variables[key] = value;
    } else if (above(1) == "hosts") {
      for (const std::string& host : expand_name(key, ':')) {
        all.groups[above(2)].hosts.push_back(host);
        all.hosts[host];
      }
    } else {
      not_understood(origin, line, "hosts, vars or children above it");
    }
  }
  return all;
}

}  // namespace

std::vector<std::string> expand_nodelist(std::string_view list) {
  std::vector<std::string> all;
  while (!list.empty()) {
    // The comma that ends a name is the first one outside of brackets.
    std::size_t end = 0;
    for (bool inside = false; end < list.size() && (inside || list[end] != ','); ++end) {
      if (list[end] == '[') inside = true;
      if (list[end] == ']') inside = false;
    }
    for (auto& name : expand_name(list.substr(0, end), '-')) all.push_back(std::move(name));
    list.remove_prefix(std::min(list.size(), end + 1));
  }
  return all;
}

std::vector<InventoryHost> read_inventory(const std::string& text, const std::string& origin,
                                          const std::string& group) {
  const auto lines = significant_lines(text, "#;");
  const bool yaml = !lines.empty() && lines.front().text.back() == ':';
  const Inventory all = yaml ? read_yaml(text, origin) : read_ini(text, origin);
  Variables everybodys;
  if (const auto found = all.groups.find("all"); found != all.groups.end()) {
    everybodys = found->second.variables;
  }
  std::vector<InventoryHost> hosts;
  all.collect(group, everybodys, {}, hosts);
  return hosts;
}

}  // namespace archbench
