// How busy the whole machine is, from /proc/stat.
#pragma once

#include <string_view>

namespace archbench {

// CPU time of all CPUs since the machine started. Seconds.
struct MachineTimes {
  double busy_s =
      0;  // programs and kernel, interrupts included where programs are charged for them
  double steal_s = 0;  // ready to run, but the hypervisor ran something else
  double total_s = 0;  // everything, idle included
};

MachineTimes read_machine_times();

// `stat` is the text of /proc/stat. Interrupt handling (on loopback: receiving) is charged to the
// program it interrupts, unless the kernel keeps separate books (CONFIG_IRQ_TIME_ACCOUNTING): only
// then it must be left out here, or it would look like somebody else's work.
MachineTimes parse_machine_times(std::string_view stat, bool interrupts_are_separate);

}  // namespace archbench
