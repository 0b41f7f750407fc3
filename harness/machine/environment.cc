#include "harness/machine/environment.h"

#include <sys/resource.h>
#include <sys/utsname.h>

#include <cstdlib>

#include "harness/os/system.h"

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

}  // namespace archbench
