#include "harness/doctor.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "harness/machine.h"
#include "harness/server.h"
#include "harness/system.h"
#include "harness/wrk.h"

namespace archbench {
namespace {

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

std::optional<double> sysctl(const std::string& name) {
  const auto value = read_value("/proc/sys/" + name);
  if (!value) return std::nullopt;
  return std::strtod(value->c_str(), nullptr);
}

// A number that should be at least `wanted`.
Finding at_least(const std::string& name, const std::string& path, double wanted, Health otherwise,
                 const std::string& why, const std::string& advice) {
  const auto value = sysctl(path);
  if (!value) return {name, Health::unknown, "cannot be read", why, ""};
  const auto found = static_cast<long>(*value);
  return {name, *value >= wanted ? Health::ok : otherwise,
          std::to_string(found) + ", wanted " + std::to_string(static_cast<long>(wanted)), why,
          advice};
}

Finding wrk(const Places& places) {
  const std::string why = "wrk is the load generator";
  if (!places.wrk) {
    return {"wrk", Health::block, "not in $PATH", why, "apt-get install wrk"};
  }
  const std::string version = wrk_version(*places.wrk);
  const bool known = version.find("4.1.") != std::string::npos;
  return {"wrk", known ? Health::ok : Health::warn, places.wrk->string() + ": " + version, why,
          "only 4.1.0 has been checked: its latency correction is undone (results/README.md)"};
}

Finding servers(const Places& places, const Demand& demand) {
  std::string missing;
  for (const std::string& architecture : demand.architectures) {
    const auto binary = server_binary(places.servers, architecture);
    if (access(binary.c_str(), X_OK) != 0) missing += " " + binary.filename().string();
  }
  return {"servers", missing.empty() ? Health::ok : Health::block,
          missing.empty() ? "all in " + places.servers.string()
                          : "missing in " + places.servers.string() + ":" + missing,
          "they are what is measured",
          "build them (cmake --build) or name their folder with --servers"};
}

Finding cpus(const Demand& demand) {
  const auto count = static_cast<int>(allowed_cpus().size());
  return {"cpus", count > demand.most_cpus ? Health::ok : Health::warn,
          std::to_string(count) + ", the server gets up to " + std::to_string(demand.most_cpus),
          "a server that gets all CPUs shares them with the generator: throughput is then theirs "
          "together",
          "compare requests per CPU-second there, or use a machine with more CPUs"};
}

Finding governor() {
  const auto value = read_value("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  const std::string why = "a CPU that changes its speed changes every number";
  if (!value)
    return {"governor", Health::unknown, "the kernel shows none (virtual machine?)", why, ""};
  return {"governor", *value == "performance" ? Health::ok : Health::warn, *value, why,
          "cpupower frequency-set --governor performance"};
}

Finding turbo() {
  const auto boost = read_value("/sys/devices/system/cpu/cpufreq/boost");
  const auto no_turbo = read_value("/sys/devices/system/cpu/intel_pstate/no_turbo");
  const std::string why = "turbo speed depends on heat and on how many CPUs are busy";
  if (!boost && !no_turbo) return {"turbo", Health::unknown, "the kernel shows none", why, ""};
  const bool on = boost ? *boost == "1" : *no_turbo == "0";
  return {"turbo", on ? Health::warn : Health::ok, on ? "on" : "off", why,
          "echo 0 > /sys/devices/system/cpu/cpufreq/boost (or 1 > .../intel_pstate/no_turbo)"};
}

// Steal and other programs, watched for a moment.
std::vector<Finding> neighbours() {
  constexpr double kWatch = 0.5;   // seconds: 50 ticks on each CPU, so steps of 2 % or less
  constexpr double kQuiet = 0.03;  // below the limit of the gate machine_quiet
  MonotonicClock clock;
  const MachineTimes begin = read_machine_times();
  clock.sleep_until(clock.now() + kWatch);
  const MachineTimes end = read_machine_times();
  const double total = std::max(end.total_s - begin.total_s, 1e-9);
  const double busy = (end.busy_s - begin.busy_s) / total;
  const double steal = (end.steal_s - begin.steal_s) / total;
  return {{"foreign_cpu", busy <= kQuiet ? Health::ok : Health::warn,
           percent(busy) + " of the machine in use just now",
           "other programs take CPU time from server and generator; cells fail machine_quiet",
           "end them, or wait (top shows them)"},
          {"steal", steal <= kQuiet ? Health::ok : Health::warn,
           percent(steal) + " taken by the hypervisor just now",
           "time that the virtual machine was ready to run and did not",
           "use a dedicated host, or trust requests per CPU-second only"}};
}

Finding load() {
  constexpr double kCalm = 0.5;  // half a program running on average
  const double value = std::strtod(read_value("/proc/loadavg").value_or("0").c_str(), nullptr);
  char text[64];
  std::snprintf(text, sizeof text, "%.2f in the last minute", value);
  return {"load", value <= kCalm ? Health::ok : Health::warn, text,
          "something has been running here until now and may still be", "wait a minute"};
}

Finding descriptors(const Demand& demand) {
  // One for each client, and room for files, pipes and the listening sockets.
  const auto wanted = static_cast<rlim_t>(demand.most_clients) + 64;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return {"descriptors", limit.rlim_max >= wanted ? Health::ok : Health::block,
          std::to_string(limit.rlim_max) + " at most, wanted " + std::to_string(wanted),
          "every client is a descriptor in the server and one in the generator",
          "raise the hard limit: ulimit -Hn as root, or /etc/security/limits.conf"};
}

Finding ports(const Demand& demand) {
  const std::string text = read_value("/proc/sys/net/ipv4/ip_local_port_range").value_or("");
  char* rest = nullptr;
  const long low = std::strtol(text.c_str(), &rest, 10);
  const long high = std::strtol(rest, nullptr, 10);
  const long count = high - low + 1;
  return {"ports", count >= demand.most_clients ? Health::ok : Health::block,
          std::to_string(count) + " local ports for " + std::to_string(demand.most_clients) +
              " clients",
          "every client needs a port of its own on the one address of the server",
          "sysctl -w net.ipv4.ip_local_port_range='1024 65535'"};
}

Finding huge_pages() {
  const auto value = read_value("/sys/kernel/mm/transparent_hugepage/enabled");
  const std::string why =
      "with [always] a stack may become 2 MiB resident: memory per client is then "
      "the kernel's choice";
  if (!value) return {"huge_pages", Health::ok, "not in this kernel", why, ""};
  const bool always = value->find("[always]") != std::string::npos;
  return {"huge_pages", always ? Health::warn : Health::ok, *value, why,
          "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"};
}

Finding memory(const Demand& demand) {
  // A forked process with one client: about 200 KiB of its own, page tables and kernel stack
  // included; two sockets with full buffers about as much again.
  constexpr double kBytesForEach = 512.0 * 1024;
  const std::string text = read_file("/proc/meminfo").value_or("");
  const std::size_t at = text.find("MemAvailable:");
  const std::string why = "a machine that swaps measures its disk";
  if (at == std::string::npos) return {"memory", Health::unknown, "cannot be read", why, ""};
  const double available = 1024 * std::strtod(text.c_str() + at + 13, nullptr);
  const double wanted = kBytesForEach * demand.most_clients;
  constexpr double kMiB = 1024.0 * 1024;
  return {"memory", available >= wanted ? Health::ok : Health::warn,
          std::to_string(static_cast<long>(available / kMiB)) + " MiB available, wanted about " +
              std::to_string(static_cast<long>(wanted / kMiB)),
          why, "use fewer clients or end other programs"};
}

Finding tracepoints() {
  const bool there =
      access("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id", R_OK) == 0 ||
      access("/sys/kernel/debug/tracing/events/raw_syscalls/sys_enter/id", R_OK) == 0;
  return {"tracepoints", there ? Health::ok : Health::unknown,
          there ? "raw_syscalls can be read" : "raw_syscalls cannot be read",
          "system calls per request can be counted only with them; nothing else needs them",
          "mount -t tracefs tracefs /sys/kernel/tracing, as root"};
}

const char* word(Health health) {
  switch (health) {
    case Health::ok:
      return "ok";
    case Health::warn:
      return "warn";
    case Health::block:
      return "block";
    case Health::unknown:
      break;
  }
  return "unknown";
}

}  // namespace

std::vector<Finding> examine(const Places& places, const Demand& demand) {
  const double clients = demand.most_clients;
  std::vector<Finding> findings{
      wrk(places), servers(places, demand), cpus(demand), governor(), turbo(), load()};
  for (Finding& finding : neighbours()) findings.push_back(std::move(finding));
  findings.push_back(
      at_least("somaxconn", "net/core/somaxconn", clients, Health::warn,
               "a shorter accept queue drops clients of a simultaneous start; they "
               "come back after a second",
               "sysctl -w net.core.somaxconn=" + std::to_string(demand.most_clients)));
  findings.push_back(
      at_least("tcp_max_syn_backlog", "net/ipv4/tcp_max_syn_backlog", clients, Health::warn,
               "as somaxconn, for connections not yet complete",
               "sysctl -w net.ipv4.tcp_max_syn_backlog=" + std::to_string(demand.most_clients)));
  findings.push_back(descriptors(demand));
  findings.push_back(at_least("pid_max", "kernel/pid_max", clients + 1000, Health::warn,
                              "a server with a process or thread for each client needs as many ids",
                              "sysctl -w kernel.pid_max=4194304"));
  findings.push_back(at_least("threads_max", "kernel/threads-max", clients + 1000, Health::warn,
                              "a server with a process or thread for each client needs as many",
                              "sysctl -w kernel.threads-max=100000"));
  findings.push_back(ports(demand));
  findings.push_back(huge_pages());
  findings.push_back(memory(demand));
  findings.push_back(tracepoints());
  return findings;
}

bool any_block(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.health == Health::block; });
}

std::string to_text(const std::vector<Finding>& findings, bool only_trouble) {
  std::string text;
  for (const Finding& finding : findings) {
    const bool trouble = finding.health == Health::warn || finding.health == Health::block;
    if (only_trouble && !trouble) continue;
    char head[64];
    std::snprintf(head, sizeof head, "%-8s %-20s ", word(finding.health), finding.name.c_str());
    text += head + finding.found + "\n";
    if (!trouble) continue;
    text.append("         why: ").append(finding.why).append("\n");
    text.append("         do:  ").append(finding.advice).append("\n");
  }
  return text;
}

nlohmann::ordered_json to_json(const std::vector<Finding>& findings) {
  auto json = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    nlohmann::ordered_json item{
        {"name", finding.name}, {"verdict", word(finding.health)}, {"found", finding.found}};
    if (!finding.why.empty()) item["why"] = finding.why;
    if (!finding.advice.empty()) item["advice"] = finding.advice;
    json.push_back(item);
  }
  return json;
}

}  // namespace archbench
