// A scheduler that serves: what process and hybrid have one of on each of their CPUs.
#pragma once

#include <functional>

#include "baselines/common/counters.h"
#include "baselines/common/fd.h"
#include "baselines/common/program.h"

namespace baselines {

// Makes the calling kernel thread a scheduler of state threads: one accepts, and starts another for
// each connection. `wait_for_stop` runs in a third, and returns when nobody shall be accepted any
// more; serve_as_scheduler() returns when then the last connection has ended. Throws
// std::runtime_error with a whole sentence.
void serve_as_scheduler(Server& server, const Fd& listener, CounterSlot& slot,
                        const std::function<void()>& wait_for_stop);

}  // namespace baselines
