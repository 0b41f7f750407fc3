// How much CPU time the server has used: the same accounting for every architecture.
#pragma once

namespace baselines {

struct CpuTime {
  double user_s;
  double system_s;
};

// Of this process with all its threads, and of all its children that have been reaped.
CpuTime cpu_time_used();

}  // namespace baselines
