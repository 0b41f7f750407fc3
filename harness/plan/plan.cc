#include "harness/plan/plan.h"

#include <algorithm>
#include <set>

#include "harness/error.h"
#include "harness/os/system.h"
#include "harness/plan/field.h"
#include "harness/plan/plan_parts.h"

namespace archbench {
namespace {

constexpr const char* kSchema = "archbench.plan/1";

void read_servers(const Field& field, Plan& plan) {
  std::set<std::string> labels{ceiling_server().label};
  for (const Field& item : field.items()) {
    for (ServerSpec& server : read_server(item)) {
      if (!labels.insert(server.label).second) {
        item.refuse("the label \"" + server.label +
                    "\" is used twice; give one of them its own \"label\"");
      }
      plan.servers.push_back(std::move(server));
    }
  }
}

void read_workloads(const Field& root, Plan& plan) {
  const auto generator = root.find("generator");
  const std::string usual = generator ? read_generator(*generator) : "wrk";
  std::set<std::string> names;
  for (const Field& item : root.at("workloads").items()) {
    for (Workload& workload : read_workload(item, usual)) {
      if (!names.insert(workload.name).second) {
        item.refuse("the workload \"" + workload.name + "\" is there twice");
      }
      for (const std::string& label : workload.labels) {
        const bool known = std::any_of(plan.servers.begin(), plan.servers.end(),
                                       [&](const ServerSpec& s) { return s.label == label; });
        if (!known) item.at("servers").refuse("no server has the label \"" + label + "\"");
      }
      plan.workloads.push_back(std::move(workload));
    }
  }
}

void read_files(const Field& field, Plan& plan) {
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 34;  // 16 GiB is a slip of the pen
  for (const Field& item : field.items()) {
    item.allow_only({"path", "bytes", "disk"});
    const Field path = item.at("path");
    const std::string name = path.text();
    if (name.front() == '/' || name.find("..") != std::string::npos) {
      path.expected("a path below the servers' docroot");
    }
    const Field bytes = item.at("bytes");
    if (bytes.unsigned_integer() > kLargest) bytes.expected("at most 17179869184 bytes");
    const auto disk = item.find("disk");
    plan.files.push_back({name, bytes.unsigned_integer(), disk && disk->boolean()});
    constexpr std::uint64_t kMiB = 1 << 20;
    if (plan.files.back().disk && bytes.unsigned_integer() % kMiB != 0) {
      bytes.expected("whole MiB (1048576 bytes) for a disk file");
    }
  }
}

}  // namespace

Plan parse_plan(const std::string& text, const std::string& origin) {
  Plan plan;
  plan.as_given = parse_json(text, origin);
  const Field root(plan.as_given, origin);
  root.allow_only({"schema", "name", "question", "servers", "workloads", "generator", "files",
                   "hosts", "clients", "cpus", "system_clients", "ceiling", "warmup_seconds",
                   "seconds", "blocks", "seed"});
  if (const Field schema = root.at("schema"); schema.text() != kSchema) {
    schema.expected(std::string("\"") + kSchema + "\"");
  }
  plan.name = root.at("name").name();
  plan.question = root.at("question").text();
  read_servers(root.at("servers"), plan);
  read_workloads(root, plan);
  if (const auto files = root.find("files")) read_files(*files, plan);
  if (const auto hosts = root.find("hosts")) plan.hosts = read_hosts(*hosts);
  if (const auto ceiling = root.find("ceiling")) plan.ceiling = ceiling->boolean();
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

std::set<std::string> generators_of(const Plan& plan) {
  std::set<std::string> names;
  for (const Workload& workload : plan.workloads) names.insert(workload.generator);
  return names;
}

}  // namespace archbench
