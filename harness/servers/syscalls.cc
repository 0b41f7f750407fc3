#include "harness/servers/syscalls.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "harness/error.h"
#include "harness/os/system.h"

namespace archbench {
namespace {

class PerfCount : public SyscallCount {
 public:
  PerfCount() = default;
  PerfCount(const PerfCount&) = delete;
  PerfCount& operator=(const PerfCount&) = delete;
  ~PerfCount() override {
    for (const int event : events_) close(event);
  }

  // False with errno set when the kernel refuses. A thread that has ended meanwhile is no failure.
  bool watch(pid_t thread, std::uint64_t tracepoint) {
    perf_event_attr what{};
    what.size = sizeof what;
    what.type = PERF_TYPE_TRACEPOINT;
    what.config = tracepoint;
    what.inherit = 1;
    const long event = syscall(SYS_perf_event_open, &what, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (event < 0) return errno == ESRCH;
    events_.push_back(static_cast<int>(event));
    return true;
  }

  std::uint64_t read() override {
    std::uint64_t sum = 0;
    for (const int event : events_) {
      std::uint64_t value = 0;
      if (::read(event, &value, sizeof value) == sizeof value) sum += value;
    }
    return sum;
  }

 private:
  std::vector<int> events_;
};

}  // namespace

std::unique_ptr<SyscallCount> count_syscalls(const std::vector<pid_t>& threads, std::string& why) {
  std::optional<std::string> id;
  for (const char* mount : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    if (!id) id = read_value(std::string(mount) + "/events/raw_syscalls/sys_enter/id");
  }
  if (!id) {
    why = "the tracepoint raw_syscalls:sys_enter cannot be read: no tracefs, or not root";
    return nullptr;
  }
  const std::uint64_t tracepoint = std::strtoull(id->c_str(), nullptr, 10);
  auto count = std::make_unique<PerfCount>();
  for (const pid_t thread : threads) {
    if (count->watch(thread, tracepoint)) continue;
    why = errno_text("perf_event_open for thread " + std::to_string(thread) + " of " +
                     std::to_string(threads.size()));
    return nullptr;
  }
  return count;
}

}  // namespace archbench
