// Internal: include only inside st/src. The one clock of all timeouts.
#pragma once

#include <stdint.h>

#include "st.h"

namespace st {

// Microseconds of the monotonic clock, or of what st_set_utime_function() put in its place.
uint64_t clock_now();

// Whether it is the latter.
bool clock_is_users();

// `start + timeout`, where an absurdly long timeout does not wrap around into the past.
inline uint64_t deadline_after(uint64_t start, uint64_t timeout) {
  uint64_t deadline;
  return __builtin_add_overflow(start, timeout, &deadline) ? ST_UTIME_NO_TIMEOUT : deadline;
}

// Refreshes the seconds that st_time() returns, when they are kept and a second has passed at
// `now`.
void clock_refresh_seconds(uint64_t now);

}  // namespace st
