// The models on Boost.Fiber: one function and one file each.
#pragma once

namespace baselines {

struct Server;

void serve_fiber_thread(Server& server);    // thread.cc
void serve_fiber_stealing(Server& server);  // stealing.cc

}  // namespace baselines
