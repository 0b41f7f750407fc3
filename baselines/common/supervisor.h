// A fixed number of worker processes that are kept alive: the parent of prefork, edsm and st.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "baselines/common/children.h"
#include "baselines/common/counters_file.h"

namespace baselines {

class Supervisor {
 public:
  // What a worker does, in its own process: number `index` counts in `slot`. The process ends when
  // it returns.
  using Work = std::function<void(int index, CounterSlot& slot)>;

  // Starts `count` workers. Throws std::runtime_error when even the first start of one fails.
  Supervisor(Signals& signals, CountersFile& counters, int count, Work work);

  // Restarts workers that crash until a stop signal comes; then calls `on_stop`, asks the workers
  // to stop, and returns when all have ended.
  void run(const std::function<void()>& on_stop);

 private:
  struct Worker {
    pid_t pid = 0;  // 0: not running
    CounterSlot* slot = nullptr;
    Clock::time_point started;
    Clock::time_point restart_at;  // while not running
    Clock::duration pause{};       // how long the last restart was put off
  };

  bool start(Worker& worker);
  void ended(Ended end);
  Clock::time_point start_due_workers();
  void stop_all();

  Signals& signals_;
  Work work_;
  std::vector<Worker> workers_;
  bool stopping_ = false;
};

}  // namespace baselines
