#include "harness/machine/doctor.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "harness/generators/generators.h"
#include "harness/machine/machine.h"
#include "harness/os/subprocess.h"
#include "harness/os/system.h"

namespace archbench {
namespace {

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

std::string dotted(std::string name) {
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

std::optional<double> sysctl(const std::string& name) {
  const auto value = read_value("/proc/sys/" + name);
  if (!value) return std::nullopt;
  return std::strtod(value->c_str(), nullptr);
}

// A number that should be at least `wanted`.
Finding at_least(const std::string& name, const std::string& path, double wanted,
                 const std::string& why) {
  const auto value = sysctl(path);
  if (!value) return {name, Health::unknown, "cannot be read", why, ""};
  const std::string number = std::to_string(static_cast<long>(wanted));
  Finding finding{name, *value >= wanted ? Health::ok : Health::warn,
                  std::to_string(static_cast<long>(*value)) + ", wanted " + number, why,
                  "sysctl -w " + dotted(path) + "=" + number};
  if (finding.health == Health::warn) {
    finding.file = "/proc/sys/" + path;
    finding.value = number;
  }
  return finding;
}

Finding generator(const std::string& name, const Places& places) {
  const std::string why = "it makes the load";
  const auto program = generator_program(name, places);
  if (!program) {
    const std::string& package = generator_kind(name).package;
    return {name, Health::block, "not there", why,
            package.empty() ? "build it (cmake --build)" : "apt-get install " + package};
  }
  const std::string version = generator_version(name, *program);
  const bool known = name != "wrk" || version.find("4.1.") != std::string::npos;
  return {name, known ? Health::ok : Health::warn, program->string() + ": " + version, why,
          "only 4.1.0 has been checked: its latency correction is undone (results/README.md)"};
}

Finding servers(const Demand& demand) {
  std::string missing, twice;
  std::map<std::string, std::string> by_hash;
  for (const auto& program : demand.servers) {
    if (!is_executable(program)) {
      missing += " " + program.string();
      continue;
    }
    const auto [first, is_new] = by_hash.emplace(sha256_of(program), program.filename().string());
    if (!is_new) twice += " " + program.filename().string() + " = " + first->second;
  }
  if (!missing.empty()) {
    return {"servers", Health::block, "missing:" + missing, "they are what is measured",
            "build them (cmake --build) or name their folder with --servers"};
  }
  return {"servers", twice.empty() ? Health::ok : Health::warn,
          twice.empty() ? "all there" : "the same program under two names:" + twice,
          "one of them would be measured under another's name", "build them anew"};
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
  const std::string file = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
  const auto value = read_value(file);
  const std::string why = "a CPU that changes its speed changes every number";
  if (!value) {
    return {"governor", Health::unknown, "the kernel shows none (virtual machine?)", why, ""};
  }
  Finding finding{"governor", Health::ok, *value, why,
                  "cpupower frequency-set --governor performance"};
  if (*value == "performance") return finding;
  finding.health = Health::warn;
  finding.file = file;
  finding.value = "performance";
  return finding;
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
  // A connection for each request leaves its port waiting for a minute: the more, the better.
  constexpr long kPlenty = 40'000;
  Finding finding{"ports",
                  count < demand.most_clients ? Health::block
                  : count < kPlenty           ? Health::warn
                                              : Health::ok,
                  std::to_string(count) + " local ports for " +
                      std::to_string(demand.most_clients) + " clients",
                  "every client needs a port of its own on the one address of the server, and a "
                  "closed connection keeps its port for a minute",
                  "sysctl -w net.ipv4.ip_local_port_range='10240 65535'"};
  if (finding.health != Health::ok) {
    finding.file = "/proc/sys/net/ipv4/ip_local_port_range";
    finding.value = "10240\t65535";
  }
  return finding;
}

Finding time_wait() {
  // 2, the default since Linux 4.19, means on loopback, which is where archbench measures.
  const auto value = sysctl("net/ipv4/tcp_tw_reuse");
  const std::string why =
      "with a connection for each request, ports run out in seconds when those that "
      "wait after closing are not used again";
  if (!value) return {"tcp_tw_reuse", Health::unknown, "cannot be read", why, ""};
  if (*value >= 1) {
    return {"tcp_tw_reuse", Health::ok, std::to_string(static_cast<int>(*value)), why, ""};
  }
  return {"tcp_tw_reuse",
          Health::warn,
          "0",
          why,
          "sysctl -w net.ipv4.tcp_tw_reuse=2",
          "/proc/sys/net/ipv4/tcp_tw_reuse",
          "2"};
}

Finding huge_pages() {
  const auto value = read_value("/sys/kernel/mm/transparent_hugepage/enabled");
  const std::string why =
      "with [always] a stack may become 2 MiB resident: memory per client is then "
      "the kernel's choice";
  if (!value) return {"huge_pages", Health::ok, "not in this kernel", why, ""};
  const bool always = value->find("[always]") != std::string::npos;
  Finding finding{"huge_pages", always ? Health::warn : Health::ok, *value, why,
                  "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"};
  if (always) {
    finding.file = "/sys/kernel/mm/transparent_hugepage/enabled";
    finding.value = "madvise";
  }
  return finding;
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
  std::vector<Finding> findings;
  for (const std::string& name : demand.generators) findings.push_back(generator(name, places));
  if (!demand.servers.empty()) findings.push_back(servers(demand));
  for (const auto& finding : {cpus(demand), governor(), turbo(), load()}) {
    findings.push_back(finding);
  }
  for (Finding& finding : neighbours()) findings.push_back(std::move(finding));
  findings.push_back(at_least("somaxconn", "net/core/somaxconn", clients + 64,
                              "a shorter accept queue drops clients of a simultaneous start; they "
                              "come back after a second"));
  findings.push_back(at_least("tcp_max_syn_backlog", "net/ipv4/tcp_max_syn_backlog", clients,
                              "as somaxconn, for connections not yet complete"));
  findings.push_back(descriptors(demand));
  findings.push_back(
      at_least("pid_max", "kernel/pid_max", clients + 1000,
               "a server with a process or thread for each client needs as many ids"));
  findings.push_back(at_least("threads_max", "kernel/threads-max", clients + 1000,
                              "a server with a process or thread for each client needs as many"));
  findings.push_back(ports(demand));
  findings.push_back(time_wait());
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
