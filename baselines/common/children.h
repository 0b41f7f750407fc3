// Child processes: born so that they cannot outlive the parent, ended so that none is forgotten.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "baselines/common/clock.h"
#include "baselines/common/signals.h"

namespace baselines {

// How long work in flight may go on after SIGTERM; whoever is not done then is cut off.
inline constexpr std::chrono::seconds kDrainLimit{5};

// fork(), except that the child dies with its parent, even by SIGKILL. -1 and errno as fork().
pid_t fork_bound_to_parent();

struct Ended {
  pid_t pid = 0;  // 0: nobody more has ended
  int status = 0;
  bool crashed() const { return status != 0; }
};

// Takes one child that has ended; does not wait.
Ended reap_one();

// "died of signal 11 (Segmentation fault)" or "ended with status 1".
std::string describe_end(int status);

// Waits until a signal comes or `deadline` has passed. False: it has passed.
bool wait_for_signal(const Signals& signals, Clock::time_point deadline);

// Reaps until `alive()` is 0, at most kDrainLimit long; `kill_all` is called when it has passed,
// and then the last are waited for. `ended` hears of every child.
void reap_all(Signals& signals, const std::function<std::size_t()>& alive,
              const std::function<void()>& kill_all, const std::function<void(Ended)>& ended);

}  // namespace baselines
