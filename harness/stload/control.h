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
  std::atomic<Time> end{};               // of the window: nothing begins after it
  std::atomic<bool> interrupted{false};  // what is due and was not sent is given up
};
static_assert(std::atomic<Time>::is_always_lock_free);

}  // namespace stload
