// What the parent tells all its processes, in shared memory.
#pragma once

#include <atomic>

#include "harness/stload/clock.h"

namespace stload {

// Times are written before the start and read after it. The end is moved forward, to now, when
// somebody ends the run early.
struct Control {
  Time begin{};  // of the load
  Time window_begin{};
  std::atomic<Time> end{};  // of the window: nothing begins after it
  // How often somebody has asked for an early end. The signal that says so is only the wake-up: two
  // that follow each other closely arrive as one.
  std::atomic<int> stops{0};
};
static_assert(std::atomic<Time>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

}  // namespace stload
