// Internal: include only inside st/src.
#pragma once

namespace st {

// Sees to it that the scheduler of this kernel thread ends with it. False with errno if it cannot.
bool end_with_kernel_thread();

}  // namespace st
