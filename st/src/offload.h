// Internal: include only inside st/src. Blocking work in helper kernel threads.
#pragma once

namespace st {

// In a child process, which has no helpers: calls that were waiting for them end with ECANCELED.
void offload_after_fork();

}  // namespace st
