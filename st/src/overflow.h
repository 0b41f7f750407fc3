// Internal: include only inside st/src.
#pragma once

namespace st {

// Installs a handler for SIGSEGV that names the thread whose stack has overflowed, unless the
// program has a handler.
void watch_for_overflow();

// Gives back what this kernel thread needs for it.
void watch_for_overflow_no_more();

}  // namespace st
