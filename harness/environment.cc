#include "harness/environment.h"

#include <sys/resource.h>
#include <sys/utsname.h>

#include <cstdlib>

#include "harness/error.h"
#include "harness/generators.h"
#include "harness/server.h"
#include "harness/system.h"
#include "harness/version.h"

namespace archbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// The rest of the line that begins with `name`, without separators: for /proc/cpuinfo and the like.
std::string line_after(const std::string& text, const std::string& name) {
  std::size_t begin = text.starts_with(name) ? 0 : text.find("\n" + name);
  if (begin == std::string::npos) return "";
  begin = text.find_first_not_of('\n', begin) + name.size();
  begin = text.find_first_not_of(" \t:=\"", begin);
  std::string value = text.substr(begin, text.find('\n', begin) - begin);
  return value.substr(0, value.find_last_not_of(" \t\"") + 1);
}

std::optional<std::uint64_t> meminfo_bytes(const std::string& meminfo, const std::string& name) {
  const std::string value = line_after(meminfo, name);
  if (value.empty()) return std::nullopt;
  return std::strtoull(value.c_str(), nullptr, 10) * 1024;  // "kB" there means 1024 bytes
}

void put_limit(ordered_json& json, const char* name, __rlimit_resource resource) {
  rlimit limit{};
  if (getrlimit(resource, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    json[name] = limit.rlim_cur;
  }
}

void put_text(ordered_json& json, const char* name, const std::string& value) {
  if (!value.empty()) json[name] = value;
}

ordered_json read_sysctls() {
  ordered_json json = ordered_json::object();
  for (const std::string name :
       {"net/core/somaxconn", "net/core/netdev_max_backlog", "net/ipv4/tcp_max_syn_backlog",
        "net/ipv4/ip_local_port_range", "net/ipv4/tcp_tw_reuse", "net/ipv4/tcp_syncookies",
        "net/ipv4/tcp_rmem", "net/ipv4/tcp_wmem", "net/ipv4/tcp_congestion_control", "fs/file-max",
        "kernel/pid_max", "kernel/threads-max", "vm/max_map_count", "vm/overcommit_memory",
        "vm/swappiness", "kernel/randomize_va_space", "kernel/sched_autogroup_enabled"}) {
    const auto value = read_value("/proc/sys/" + name);
    std::string dotted = name;
    for (char& c : dotted) c = c == '/' ? '.' : c;
    if (value) json[dotted] = *value;
  }
  return json;
}

}  // namespace

Places find_places(const fs::path& servers) {
  const fs::path bin = fs::read_symlink("/proc/self/exe").parent_path();
  Places places;
  places.servers = servers.empty() ? bin : fs::absolute(servers);
  places.self = bin;
  for (const fs::path& data : {bin / "../share/archbench", fs::path(kSourceDirectory)}) {
    if (fs::is_regular_file(data / "report.lua")) {
      places.script = fs::canonical(data / "report.lua");
      places.plans = fs::canonical(data) / "plans";
      for (const fs::path& scripts : {data / "scripts", data / "../scripts"}) {
        if (fs::is_regular_file(scripts / "results.py")) places.scripts = fs::canonical(scripts);
      }
      return places;
    }
  }
  throw Error("report.lua is missing: neither in " + (bin / "../share/archbench").string() +
              " nor in " + kSourceDirectory + "; install archbench with cmake --install");
}

ordered_json read_environment() {
  ordered_json json = ordered_json::object();
  utsname name{};
  uname(&name);
  json["kernel"] = std::string(name.sysname) + " " + name.release + " " + name.version;
  json["machine"] = name.machine;
  put_text(json, "distribution",
           line_after(read_file("/etc/os-release").value_or(""), "PRETTY_NAME"));
  const std::string cpuinfo = read_file("/proc/cpuinfo").value_or("");
  json["hypervisor"] = cpuinfo.find(" hypervisor") != std::string::npos;
  put_text(json, "cpu_model", line_after(cpuinfo, "model name"));
  const auto cpus = allowed_cpus();
  json["cpus"] = cpus.size();
  json["cpu_list"] = cpu_list(cpus);
  const std::string meminfo = read_file("/proc/meminfo").value_or("");
  if (const auto bytes = meminfo_bytes(meminfo, "MemTotal")) json["memory_bytes"] = *bytes;
  if (const auto bytes = meminfo_bytes(meminfo, "MemAvailable")) {
    json["memory_available_bytes"] = *bytes;
  }
  if (const auto load = read_file("/proc/loadavg")) {
    json["load_average_1min"] = std::strtod(load->c_str(), nullptr);
  }
  const fs::path cpu = "/sys/devices/system/cpu";
  put_text(json, "governor", read_value(cpu / "cpu0/cpufreq/scaling_governor").value_or(""));
  if (const auto boost = read_value(cpu / "cpufreq/boost")) json["turbo"] = *boost == "1";
  if (const auto no = read_value(cpu / "intel_pstate/no_turbo")) json["turbo"] = *no == "0";
  put_text(json, "transparent_hugepages",
           read_value("/sys/kernel/mm/transparent_hugepage/enabled").value_or(""));
  put_limit(json, "descriptor_limit", RLIMIT_NOFILE);
  put_limit(json, "process_limit", RLIMIT_NPROC);
  json["sysctls"] = read_sysctls();
  return json;
}

std::string sha256_of(const fs::path& file) {
  constexpr std::size_t kDigits = 64;
  const auto text = capture({"sha256sum", "--", file.string()});
  if (!text || text->size() < kDigits) return "";
  return text->substr(0, kDigits);
}

std::set<std::string> generators_of(const Plan& plan) {
  std::set<std::string> names;
  for (const Workload& workload : plan.workloads) names.insert(workload.generator);
  return names;
}

namespace {

ordered_json describe_server(const ServerSpec& server, const fs::path& path) {
  ordered_json json{{"architecture", server.architecture},
                    {"program", path.filename().string()},
                    {"path", path.string()}};
  put_text(json, "sha256", sha256_of(path));
  // Somebody else's program might take it for something to do.
  if (server.custom()) return json;
  const auto version = capture({path.string(), "--version"});
  if (version) put_text(json, "version", version->substr(0, version->find('\n')));
  return json;
}

}  // namespace

ordered_json read_provenance(const Places& places, const Plan& plan) {
  ordered_json json{{"archbench_version", kVersion}};
  put_text(json, "archbench_sha256", sha256_of(fs::read_symlink("/proc/self/exe")));
  if (const auto commit = capture({"git", "-C", kSourceDirectory, "rev-parse", "HEAD"})) {
    json["commit"] = commit->substr(0, commit->find('\n'));
    const auto changes =
        capture({"git", "-C", kSourceDirectory, "status", "--porcelain", "--untracked-files=no"});
    if (changes) json["dirty"] = !changes->empty();
  }
  put_text(json, "compiler", kCompiler);
  put_text(json, "build_type", kBuildType);
  put_text(json, "build_flags", kBuildFlags);
  json["generators"] = ordered_json::array();
  for (const std::string& name : generators_of(plan)) {
    const auto program = generator_program(name, places);
    if (!program) continue;
    ordered_json generator{{"name", name}, {"path", program->string()}};
    put_text(generator, "version", generator_version(name, *program));
    put_text(generator, "sha256", sha256_of(*program));
    json["generators"].push_back(generator);
  }
  json["servers"] = ordered_json::array();
  std::vector<ServerSpec> servers = plan.servers;
  if (plan.ceiling) servers.push_back(ceiling_server());
  std::set<fs::path> described;
  for (const ServerSpec& server : servers) {
    const fs::path path = server_program(server, places.servers);
    if (described.insert(path).second) json["servers"].push_back(describe_server(server, path));
  }
  return json;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);  // should it fail, the doctor says that the limit is too low
}

}  // namespace archbench
