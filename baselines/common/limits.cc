#include "baselines/common/limits.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <new>

#include "baselines/common/log.h"

namespace baselines {
namespace {

// Room for a limit in words; a string might need memory.
using Words = std::array<char, 24>;

const char* say_limit(__rlimit_resource resource, Words& words) {
  rlimit limit{};
  getrlimit(resource, &limit);
  if (limit.rlim_cur == RLIM_INFINITY) return "unlimited";
  std::snprintf(words.data(), words.size(), "%ju", std::uintmax_t{limit.rlim_cur});
  return words.data();
}

[[noreturn]] void out_of_memory() {
  say_out_of_memory();
  throw std::bad_alloc();
}

}  // namespace

std::string limit_value(__rlimit_resource resource) {
  Words words{};
  return say_limit(resource, words);
}

std::string limit_of_tasks(const char* what, int error) {
  std::string text = std::string("cannot start a ") + what + ": " + describe_errno(error);
  if (error == EAGAIN || error == ENOMEM) {
    text += ", RLIMIT_NPROC " + limit_value(RLIMIT_NPROC) + ", RLIMIT_AS " +
            limit_value(RLIMIT_AS) +
            "; raise 'ulimit -u' or 'ulimit -v', pids.max of the control group, kernel.pid_max or "
            "threads-max";
  }
  return text;
}

void say_out_of_memory() {
  static Episode episode;
  if (!episode.begins()) return;
  Words space{};
  Words data{};
  log_line(
      "out of memory (RLIMIT_AS %s, RLIMIT_DATA %s): who needs more is cut off; raise 'ulimit -v' "
      "or 'ulimit -d'",
      say_limit(RLIMIT_AS, space), say_limit(RLIMIT_DATA, data));
}

void announce_shortage_of_memory() { std::set_new_handler(out_of_memory); }

}  // namespace baselines
