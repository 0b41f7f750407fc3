#include "baselines/common/usage.h"

#include <sys/resource.h>

namespace baselines {
namespace {

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
}

}  // namespace

CpuTime cpu_time_used() {
  // getrusage() fails only for arguments that these are not.
  rusage self{};
  rusage children{};
  getrusage(RUSAGE_SELF, &self);
  getrusage(RUSAGE_CHILDREN, &children);
  return {seconds(self.ru_utime) + seconds(children.ru_utime),
          seconds(self.ru_stime) + seconds(children.ru_stime)};
}

}  // namespace baselines
