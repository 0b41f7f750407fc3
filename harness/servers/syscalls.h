// Counts the system calls of a server, where the kernel lets us.
//
// The kernel's tracepoint raw_syscalls:sys_enter makes every call of a watched program some 0.1 us
// slower, so the counting has a short part of its own behind the measured window, and only in the
// first block: what a request costs in calls does not change from block to block.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace archbench {

class SyscallCount {
 public:
  virtual ~SyscallCount() = default;
  virtual std::uint64_t read() = 0;  // calls so far
};

// Watches these threads and whatever they start from now on. Null when that is not possible; `why`
// then says why.
std::unique_ptr<SyscallCount> count_syscalls(const std::vector<pid_t>& threads, std::string& why);

}  // namespace archbench
