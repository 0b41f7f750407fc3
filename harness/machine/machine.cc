#include "harness/machine/machine.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/error.h"
#include "harness/os/process_tree.h"
#include "harness/os/system.h"

namespace archbench {
namespace {

// Debian and its relatives publish the kernel's configuration in /boot. Where there is none the
// usual default is assumed: no separate books.
bool kernel_keeps_separate_books() {
  utsname name{};
  uname(&name);
  const auto config = read_file("/boot/config-" + std::string(name.release));
  return config && config->find("\nCONFIG_IRQ_TIME_ACCOUNTING=y") != std::string::npos;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> all;
  while (!line.empty()) {
    const std::size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
    const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    if (end > begin) all.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
  return all;
}

// Takes the first line off `text`.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(text.size(), end + 1));
  return line;
}

std::optional<std::uint64_t> to_number(std::string_view word, int base = 10) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number, base);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return number;
}

// Where our control group's CPU accounts are: version 2, else version 1 under its usual name.
std::string find_cpu_stat() {
  const std::string groups = read_file("/proc/self/cgroup").value_or("");
  std::vector<std::string> candidates;
  for (std::string_view rest = groups; !rest.empty();) {
    const std::string line(take_line(rest));  // "8:cpu,cpuacct:/path" or "0::/path"
    const std::size_t path = line.find(":/");
    if (path == std::string::npos) continue;
    const std::string controllers = line.substr(line.find(':') + 1, path - line.find(':') - 1);
    if (controllers.empty()) candidates.push_back("/sys/fs/cgroup" + line.substr(path + 1));
    if (("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    candidates.push_back("/sys/fs/cgroup/" + controllers + line.substr(path + 1));
    candidates.push_back("/sys/fs/cgroup/cpu" + line.substr(path + 1));
  }
  for (const std::string& candidate : candidates) {
    const auto text = read_file(candidate + "/cpu.stat");
    if (text && parse_throttled(*text)) return candidate + "/cpu.stat";
  }
  return "";
}

// Throttling events of all cores, where the processor reports them.
std::optional<std::uint64_t> read_hot_events() {
  std::optional<std::uint64_t> sum;
  for (int cpu = 0;; ++cpu) {
    const auto value = read_value("/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                                  "/thermal_throttle/core_throttle_count");
    if (!value) return sum;
    sum = sum.value_or(0) + to_number(*value).value_or(0);
  }
}

double clock_seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

MachineTimes parse_machine_times(std::string_view stat, bool interrupts_are_separate) {
  // "cpu  user nice system idle iowait irq softirq steal guest guest_nice"; guest time is in user.
  std::array<double, 8> ticks{};
  if (!stat.starts_with("cpu "))
    throw Error("/proc/stat: expected a first line that begins with cpu");
  const std::string line(stat.substr(4, stat.find('\n') - 4));
  const char* rest = line.c_str();
  for (double& value : ticks) {
    char* end = nullptr;
    value = std::strtod(rest, &end);
    if (end == rest) throw Error("/proc/stat: expected eight numbers in the first line: " + line);
    rest = end;
  }
  const auto [user, nice, system, idle, iowait, irq, softirq, steal] = ticks;
  const auto tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  MachineTimes times;
  times.busy_s = tick * (user + nice + system + (interrupts_are_separate ? 0 : irq + softirq));
  times.system_s = tick * (system + irq + softirq);
  times.steal_s = tick * steal;
  times.total_s = tick * (user + nice + system + idle + iowait + irq + softirq + steal);
  return times;
}

MachineTimes read_machine_times() {
  static const bool separate = kernel_keeps_separate_books();
  MachineTimes times = parse_machine_times(read_file("/proc/stat").value_or(""), separate);
  times.programs_s = programs_cpu_seconds();
  return times;
}

std::optional<std::uint64_t> paired_value(std::string_view text, std::string_view group,
                                          std::string_view name) {
  const std::string head = std::string(group) + ":";
  while (!text.empty()) {
    const std::string_view names = take_line(text);
    if (!names.starts_with(head)) continue;
    const auto columns = words(names);
    const auto values = words(take_line(text));
    for (std::size_t i = 1; i < columns.size() && i < values.size(); ++i) {
      if (columns[i] == name) return to_number(values[i]);
    }
  }
  return std::nullopt;
}

std::optional<double> parse_throttled(std::string_view cpu_stat) {
  while (!cpu_stat.empty()) {
    const auto line = words(take_line(cpu_stat));
    if (line.size() != 2) continue;
    const double value = static_cast<double>(to_number(line[1]).value_or(0));
    if (line[0] == "throttled_usec") return 1e-6 * value;  // version 2
    if (line[0] == "throttled_time") return 1e-9 * value;  // version 1
  }
  return std::nullopt;
}

KernelCounts read_kernel_counts() {
  static const std::string cpu_stat = find_cpu_stat();
  KernelCounts counts;
  const std::string netstat = read_file("/proc/net/netstat").value_or("");
  counts.listen_overflows = paired_value(netstat, "TcpExt", "ListenOverflows");
  counts.listen_drops = paired_value(netstat, "TcpExt", "ListenDrops");
  counts.retransmits = paired_value(read_file("/proc/net/snmp").value_or(""), "Tcp", "RetransSegs");
  if (!cpu_stat.empty()) counts.throttled_s = parse_throttled(read_file(cpu_stat).value_or(""));
  counts.hot_events = read_hot_events();
  counts.clock_offset_s = clock_seconds(CLOCK_REALTIME) - clock_seconds(CLOCK_MONOTONIC);
  return counts;
}

std::uint64_t count_established(std::string_view tcp_table, int port) {
  constexpr std::string_view kEstablished = "01";
  std::uint64_t count = 0;
  take_line(tcp_table);  // names of the columns
  while (!tcp_table.empty()) {
    // "  12: 0100007F:9C40 0100007F:A2B4 01 ...": number, own end, other end, state.
    const auto line = words(take_line(tcp_table));
    if (line.size() < 4 || line[3] != kEstablished) continue;
    const std::size_t colon = line[1].rfind(':');
    if (colon == std::string_view::npos) continue;
    if (to_number(line[1].substr(colon + 1), 16) == static_cast<std::uint64_t>(port)) ++count;
  }
  return count;
}

std::optional<std::uint64_t> established_at(std::string_view url) {
  const std::size_t colon = url.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = to_number(url.substr(colon + 1, url.find('/', colon) - colon - 1));
  const auto table = read_file("/proc/net/tcp");
  if (!port || !table) return std::nullopt;
  return count_established(*table, static_cast<int>(*port)) +
         count_established(read_file("/proc/net/tcp6").value_or(""), static_cast<int>(*port));
}

}  // namespace archbench
