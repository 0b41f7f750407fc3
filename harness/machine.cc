#include "harness/machine.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

#include "harness/error.h"
#include "harness/system.h"

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
  times.steal_s = tick * steal;
  times.total_s = tick * (user + nice + system + idle + iowait + irq + softirq + steal);
  return times;
}

MachineTimes read_machine_times() {
  static const bool separate = kernel_keeps_separate_books();
  return parse_machine_times(read_file("/proc/stat").value_or(""), separate);
}

}  // namespace archbench
