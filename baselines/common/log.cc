#include "baselines/common/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>

namespace baselines {

void log_line(const char* format, ...) {
  std::array<char, 1024> line;  // longer lines are cut: a path may be long, a sentence is not
  const int head =
      std::snprintf(line.data(), line.size(), "%s[%d]: ", program_invocation_short_name,
                    static_cast<int>(getpid()));
  std::size_t used = std::min(static_cast<std::size_t>(head), line.size() - 2);
  va_list arguments;
  va_start(arguments, format);
  // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang-tidy 14 does not see va_start().
  const int body = std::vsnprintf(line.data() + used, line.size() - used, format, arguments);
  va_end(arguments);
  used = std::min(used + static_cast<std::size_t>(std::max(body, 0)), line.size() - 2);
  line[used++] = '\n';
  // Nobody can be told when stderr itself is gone.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), used);
}

std::string describe_errno(int error) {
  const char* name = strerrorname_np(error);
  return std::string(strerrordesc_np(error) ? strerrordesc_np(error) : "Unknown error") + " (" +
         (name ? name : std::to_string(error).c_str()) + ")";
}

}  // namespace baselines
