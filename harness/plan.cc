#include "harness/plan.h"

#include <algorithm>
#include <set>

#include "harness/error.h"
#include "harness/field.h"
#include "harness/system.h"

namespace archbench {
namespace {

constexpr const char* kSchema = "archbench.plan/1";

ServerSpec read_server(const Field& field) {
  field.allow_only({"architecture", "model", "label", "args"});
  ServerSpec server;
  const Field architecture = field.at("architecture");
  server.architecture = architecture.text();
  if (const std::set<std::string> known{"mp", "mt", "edsm", "st"};
      !known.contains(server.architecture)) {
    architecture.expected("mp, mt, edsm or st");
  }
  server.model = field.at("model").text();
  const auto label = field.find("label");
  server.label = label ? label->text() : server.architecture + "-" + server.model;
  if (const auto args = field.find("args"); args && !args->json().empty()) {
    for (const Field& arg : args->items()) server.args.push_back(arg.text());
  }
  return server;
}

Workload read_workload(const Field& field) {
  field.allow_only({"name", "path", "keepalive"});
  Workload workload;
  workload.name = field.at("name").name();
  const Field path = field.at("path");
  workload.path = path.text();
  const bool printable = std::all_of(workload.path.begin(), workload.path.end(),
                                     [](char c) { return c > ' ' && c < '\x7f'; });
  if (workload.path.front() != '/' || !printable) {
    path.expected("a path that begins with / and has no spaces");
  }
  if (const auto keepalive = field.find("keepalive")) workload.keepalive = keepalive->boolean();
  return workload;
}

std::vector<int> read_counts(const Field& field) {
  std::vector<int> counts;
  for (const Field& item : field.items()) {
    const int count = item.positive_integer();
    // Twice the same cell in a block would be two lines with one identity.
    if (std::find(counts.begin(), counts.end(), count) != counts.end()) {
      item.refuse(std::to_string(count) + " is there twice");
    }
    counts.push_back(count);
  }
  return counts;
}

}  // namespace

Plan parse_plan(const std::string& text, const std::string& origin) {
  Plan plan;
  plan.as_given = parse_json(text, origin);
  const Field root(plan.as_given, origin);
  root.allow_only({"schema", "name", "question", "servers", "workloads", "clients", "cpus",
                   "system_clients", "warmup_seconds", "seconds", "blocks", "seed"});
  if (const Field schema = root.at("schema"); schema.text() != kSchema) {
    schema.expected(std::string("\"") + kSchema + "\"");
  }
  plan.name = root.at("name").name();
  plan.question = root.at("question").text();
  std::set<std::string> labels;
  for (const Field& item : root.at("servers").items()) {
    plan.servers.push_back(read_server(item));
    if (const std::string& label = plan.servers.back().label; !labels.insert(label).second) {
      item.refuse("the label \"" + label + "\" is used twice; give one of them its own \"label\"");
    }
  }
  std::set<std::string> names;
  for (const Field& item : root.at("workloads").items()) {
    plan.workloads.push_back(read_workload(item));
    if (const std::string& name = plan.workloads.back().name; !names.insert(name).second) {
      item.refuse("the workload \"" + name + "\" is there twice");
    }
  }
  plan.clients = read_counts(root.at("clients"));
  plan.cpus = read_counts(root.at("cpus"));
  if (const auto field = root.find("system_clients"); field && !field->json().empty()) {
    plan.system_clients = read_counts(*field);
  }
  if (const auto warmup = root.find("warmup_seconds")) plan.warmup_seconds = warmup->seconds(true);
  plan.seconds = root.at("seconds").seconds(false);
  plan.blocks = root.at("blocks").positive_integer();
  plan.seed = root.at("seed").unsigned_integer();
  return plan;
}

Plan load_plan(const std::filesystem::path& file) {
  const auto text = read_file(file);
  if (!text) throw Error(errno_text("reading the plan " + file.string()));
  return parse_plan(*text, file.string());
}

std::filesystem::path find_plan(const std::string& given, const std::filesystem::path& plans) {
  if (std::filesystem::is_regular_file(given)) return given;
  auto shipped = plans / (given + ".json");
  if (std::filesystem::is_regular_file(shipped)) return shipped;
  throw Error("no plan \"" + given + "\": neither a file nor one of the plans in " +
              plans.string() + " (archbench list shows them)");
}

}  // namespace archbench
