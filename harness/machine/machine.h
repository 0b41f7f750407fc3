// The whole machine: how busy it is, and what its kernel has counted.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace archbench {

// CPU time of all CPUs since the machine started. Seconds.
struct MachineTimes {
  // Programs and kernel, interrupts included where programs are charged for them.
  double busy_s = 0;
  double steal_s = 0;   // ready to run, but the hypervisor ran something else
  double total_s = 0;   // everything, idle included
  double system_s = 0;  // of the kernel, interrupts included, whoever is charged for them
  // Of all programs and the children they have reaped, as the scheduler has charged them and not as
  // its ticks have sampled them: a server that sleeps and wakes 100,000 times a second looks busier
  // to ticks than it is, by an eighth of the machine. Kernel threads are left out; they work for
  // whom they serve. Absent where not all processes of the machine can be seen.
  std::optional<double> programs_s = {};
};

MachineTimes read_machine_times();

// `stat` is the text of /proc/stat. Interrupt handling (on loopback: receiving) is charged to the
// program it interrupts, unless the kernel keeps separate books (CONFIG_IRQ_TIME_ACCOUNTING): only
// then it must be left out here, or it would look like somebody else's work.
MachineTimes parse_machine_times(std::string_view stat, bool interrupts_are_separate);

// Counts since the machine started; absent: this kernel does not tell.
struct KernelCounts {
  std::optional<std::uint64_t> listen_overflows;  // handshakes finished, but the queue was full
  std::optional<std::uint64_t> listen_drops;      // these and first packets that were dropped
  std::optional<std::uint64_t> retransmits;
  // CPU time that a limit of our control group (cpu.max) kept from us, and hardware throttling
  // events.
  std::optional<double> throttled_s;
  std::optional<std::uint64_t> hot_events;
  // Wall clock minus monotonic clock: constant unless somebody sets the time.
  double clock_offset_s = 0;
};

KernelCounts read_kernel_counts();

// The value of `name` in text like /proc/net/netstat and /proc/net/snmp: pairs of lines, names and
// then values, both beginning with `group` and a colon.
std::optional<std::uint64_t> paired_value(std::string_view text, std::string_view group,
                                          std::string_view name);

// Throttled time in seconds from a cpu.stat of either version of control groups.
std::optional<double> parse_throttled(std::string_view cpu_stat);

// Connections in the state ESTABLISHED whose own end is `port`, in text like /proc/net/tcp.
std::uint64_t count_established(std::string_view tcp_table, int port);

// The same on this machine now, for the server behind `url`; absent when it cannot be known.
std::optional<std::uint64_t> established_at(std::string_view url);

}  // namespace archbench
