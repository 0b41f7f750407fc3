// Internal: include only inside st/src. Thread-specific data.
#pragma once

#include "thread.h"

namespace st {

// Runs the destructors of a thread's values, keys in ascending order, once; in the thread itself,
// while it can still wait. What a destructor sets for an earlier key stays behind.
void destroy_values(Thread* thread);

}  // namespace st
