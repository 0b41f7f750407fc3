// The processes of a run, as the parent sees them: it starts them together, passes signals on,
// shows how far they are, and adds up what they counted.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "harness/stload/control.h"
#include "harness/stload/options.h"
#include "harness/stload/tally.h"

namespace stload {

// What a run has seen, in all.
struct Outcome {
  Tally tally;
  std::vector<ClientCounts> clients;
  std::string started_utc;
  Time begin{};       // of the load
  Duration run{};     // from the first connection to the last answer
  Duration window{};  // as it was; shorter than asked for when the run was ended early
  CpuTime cpu;        // of all processes, over the run
};

// Runs the load. Throws Fatal, also when one of the processes failed, and leaves no process
// behind.
std::unique_ptr<Outcome> run_crew(const Options& options);

}  // namespace stload
