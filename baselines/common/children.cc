#include "baselines/common/children.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>

namespace baselines {

pid_t fork_bound_to_parent() {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent may have died before prctl() took effect; then no signal will ever come.
    if (getppid() != parent) _exit(1);
  }
  return child;
}

Ended reap_one() {
  Ended ended;
  ended.pid = std::max(waitpid(-1, &ended.status, WNOHANG), 0);  // -1: there are no children
  return ended;
}

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return "died of signal " + std::to_string(number) + " (" + strsignal(number) + ")";
  }
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

bool wait_for_signal(const Signals& signals, Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  if (left.count() <= 0) return false;
  pollfd readable{signals.fd(), POLLIN, 0};
  poll(&readable, 1, static_cast<int>(std::min<long long>(left.count(), 60'000)));
  return true;
}

void reap_all(Signals& signals, const std::function<std::size_t()>& alive,
              const std::function<void()>& kill_all, const std::function<void(Ended)>& ended) {
  auto deadline = Clock::now() + kDrainLimit;
  while (alive() > 0) {
    if (!wait_for_signal(signals, deadline)) {
      kill_all();
      deadline = Clock::time_point::max() - std::chrono::hours(1);  // SIGKILL cannot be refused
    }
    signals.take();
    for (Ended one = reap_one(); one.pid > 0; one = reap_one()) ended(one);
  }
}

}  // namespace baselines
