// What a server and all its processes use: CPU time, memory, threads, context switches.
//
// Two speeds. cpu_seconds() is for the edges of a measured window: one list of children and one
// clock for each process, microseconds in all but the largest trees. census() opens several files
// for every process and thread, which takes up to 100 ms for 4,000 of them; it runs outside the
// window.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace archbench {

// CPU time of all threads of a process, living and ended, in nanosecond precision; absent when
// there is no such process.
std::optional<double> process_cpu_seconds(pid_t pid);

// CPU time of all programs of the machine, and of the children they have reaped (in 10 ms steps);
// kernel threads are left out. Absent where this process sees only some of them, as in a container.
std::optional<double> programs_cpu_seconds();

// Living child processes.
std::vector<pid_t> children_of(pid_t pid);

// CPU time of each living thread of a process and of its children, nanosecond precision: of each
// that works. A thread that waits for the others (the first of several, a parent) is left out when
// it has used next to nothing.
std::vector<double> worker_cpu_seconds(pid_t pid);

struct Census {
  int processes = 0;
  int threads = 0;
  std::uint64_t rss_bytes = 0;  // pages shared by several processes are counted in each
  // Clock ticks (10 ms), of reaped children too. Every process rounds its own down, so that many
  // processes with little to do seem to do nothing: compare with cpu_s before believing them.
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  double cpu_s = 0;  // as cpu_seconds()
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
  std::vector<pid_t> vehicles;      // ids of all processes and threads, ascending
  std::uint64_t machine_forks = 0;  // processes and threads begun on the machine since it started
  // Shared pages in equal parts to those who share them; absent when the kernel does not say.
  std::optional<std::uint64_t> pss_bytes = {};
};

class ProcessTree {
 public:
  explicit ProcessTree(pid_t root);

  // Throws CellFailed when the root has gone.
  Census census();

  // CPU time of all living processes and of the children they have reaped (in 10 ms steps). Sees
  // new children of the root and of every process that had children at the last census: a server
  // forks from there. Throws CellFailed when the root has gone.
  double cpu_seconds();

 private:
  pid_t root_;
  std::vector<pid_t> parents_;  // processes that have, or had, children; the root first
};

}  // namespace archbench
