// The models of this architecture: one function and one file each.
#pragma once

namespace baselines {

struct Server;

void serve_fork(Server& server);     // fork.cc
void serve_prefork(Server& server);  // prefork.cc

}  // namespace baselines
