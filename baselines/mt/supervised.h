// One process full of threads, and a parent that replaces it when it crashes.
#pragma once

#include <functional>

#include "baselines/common/program.h"

namespace baselines {

// What the process does until a stop signal comes; `serving` is to be called when nothing can keep
// it from serving any more. What is thrown before that ends the server with the exception's text.
// `listener` does not block.
using Serve = void (*)(Server& server, const Fd& listener, CounterSlot& slot,
                       const std::function<void()>& serving);

enum class Listener { blocking, nonblocking };

void serve_supervised(Server& server, Listener kind, Serve serve);

// Returns when a stop signal has come.
void wait_for_stop(Server& server);

}  // namespace baselines
