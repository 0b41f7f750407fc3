// The models of this architecture: one function and one file each.
#pragma once

namespace baselines {

struct Server;

void serve_thread(Server& server);  // thread.cc
void serve_pool(Server& server);    // pool.cc
void serve_staged(Server& server);  // staged.cc

}  // namespace baselines
