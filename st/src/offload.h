// Internal: include only inside st/src. Blocking work in helper kernel threads.
#pragma once

namespace st {

// In a child process, which has no helpers: calls that were waiting for them end with ECANCELED.
void offload_after_fork();

// Gives the desk of this scheduler back, and with the last one the helpers. Work that has been
// handed over is done all the same.
void offload_end();

}  // namespace st
