// Events of libevent where memory may be missing.
#pragma once

#include <event2/event.h>

#include "baselines/common/limits.h"

namespace baselines {

// Whether it could be added. If not, a line has said so; where it was the kernel that had no room
// for it, libevent has said that before.
[[nodiscard]] inline bool add_event(event& wanted, const timeval* timeout = nullptr) {
  if (event_add(&wanted, timeout) == 0) return true;
  say_out_of_memory();
  return false;
}

}  // namespace baselines
