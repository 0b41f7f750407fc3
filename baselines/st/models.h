// The models of this architecture: one function and one file each.
#pragma once

namespace baselines {

struct Server;

void serve_process(Server& server);  // process.cc
void serve_hybrid(Server& server);   // hybrid.cc

}  // namespace baselines
