#include "baselines/common/supervisor.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <stdexcept>

#include "baselines/common/log.h"

namespace baselines {
namespace {

using namespace std::chrono_literals;

// A worker that crashes soon after its start is likely to do so again, so the pause doubles; one
// that has lived for kProvenLife was healthy and is replaced at once.
constexpr Clock::duration kProvenLife = 1s;
constexpr Clock::duration kFirstPause = 50ms;
constexpr Clock::duration kLongestPause = 5s;

constexpr Clock::time_point kNever = Clock::time_point::max() - 1h;  // can be subtracted from

}  // namespace

Supervisor::Supervisor(Signals& signals, CountersFile& counters, int count, Work work)
    : signals_(signals), work_(std::move(work)), workers_(static_cast<std::size_t>(count)) {
  for (Worker& worker : workers_) {
    worker.slot = counters.take();
    if (worker.slot != nullptr && start(worker)) continue;
    const int error = worker.slot == nullptr ? ENOSPC : errno;
    stop_all();
    throw std::runtime_error("cannot start worker " + std::to_string(&worker - workers_.data()) +
                             " of " + std::to_string(count) + ": " + describe_errno(error) +
                             "; ask for fewer, or raise 'ulimit -u'");
  }
}

bool Supervisor::start(Worker& worker) {
  worker.started = Clock::now();
  worker.pid = fork_bound_to_parent();
  if (worker.pid < 0) {
    worker.pid = 0;
    return false;
  }
  if (worker.pid > 0) return true;

  int status = EXIT_SUCCESS;
  try {
    work_(static_cast<int>(&worker - workers_.data()), *worker.slot);
  } catch (const std::exception& error) {
    log_line("%s", error.what());
    status = EXIT_FAILURE;
  }
  std::exit(status);  // not _exit(): leak checkers report when a process ends in order
}

void Supervisor::run(const std::function<void()>& on_stop) {
  while (!stopping_) {
    const Clock::time_point next_start = start_due_workers();
    wait_for_signal(signals_, next_start);
    stopping_ = signals_.take().stop;
    for (Ended end = reap_one(); end.pid > 0; end = reap_one()) ended(end);
  }
  on_stop();
  stop_all();
}

// Returns when the next worker is due, kNever when all run.
Clock::time_point Supervisor::start_due_workers() {
  Clock::time_point next = kNever;
  for (Worker& worker : workers_) {
    if (worker.pid != 0) continue;
    const auto now = Clock::now();
    if (now >= worker.restart_at && !start(worker)) {
      log_line("cannot restart worker %td: %s; trying again in %lld s", &worker - workers_.data(),
               describe_errno(errno).c_str(), static_cast<long long>(kLongestPause / 1s));
      worker.restart_at = now + kLongestPause;
    }
    if (worker.pid == 0) next = std::min(next, worker.restart_at);
  }
  return next;
}

void Supervisor::ended(Ended end) {
  const auto found = std::find_if(workers_.begin(), workers_.end(),
                                  [&](const Worker& worker) { return worker.pid == end.pid; });
  if (found == workers_.end()) return;
  Worker& worker = *found;
  worker.pid = 0;
  CountersFile::settle(*worker.slot);
  if (stopping_) return;
  const auto now = Clock::now();
  worker.pause = now - worker.started >= kProvenLife
                     ? 0s
                     : std::clamp(worker.pause * 2, kFirstPause, kLongestPause);
  worker.restart_at = now + worker.pause;
  log_line("worker %td (pid %d) %s; starting another in %lld ms", found - workers_.begin(),
           static_cast<int>(end.pid), describe_end(end.status).c_str(),
           static_cast<long long>(worker.pause / 1ms));
}

void Supervisor::stop_all() {
  stopping_ = true;
  const auto signal_all = [this](int signal) {
    for (const Worker& worker : workers_) {
      if (worker.pid > 0) kill(worker.pid, signal);
    }
  };
  const auto alive = [this] {
    return static_cast<std::size_t>(
        std::count_if(workers_.begin(), workers_.end(), [](const Worker& w) { return w.pid > 0; }));
  };
  signal_all(SIGTERM);
  reap_all(
      signals_, alive, [&] { signal_all(SIGKILL); }, [this](Ended end) { ended(end); });
}

}  // namespace baselines
