// The limits of this process, in words for whoever has to raise one.
#pragma once

#include <sys/resource.h>

#include <atomic>
#include <string>

#include "baselines/common/clock.h"

namespace baselines {

// "4096", or "unlimited".
std::string limit_value(__rlimit_resource resource);

// Why no "process" or "thread" could be started, for Door::refuse().
std::string limit_of_tasks(const char* what, int error);

// Keeps a line that every client could cause from being said for every client: it is said when the
// last cause lies more than a second back.
class Episode {
 public:
  bool begins() {
    const auto now = Clock::now();
    return now - last_.exchange(now) > std::chrono::seconds(1);
  }

 private:
  std::atomic<Clock::time_point> last_{Clock::time_point{}};
};

// One line, which names the limits; not for every client.
void say_out_of_memory();

// From now on whoever asks for memory in vain is told so by std::bad_alloc, and people by a line.
void announce_shortage_of_memory();

}  // namespace baselines
