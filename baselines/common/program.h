// What every server does before and after serving; a binary's main() is one call of run_program().
#pragma once

#include "baselines/common/counters_file.h"
#include "baselines/common/options.h"
#include "baselines/common/signals.h"
#include "baselines/common/site.h"

namespace baselines {

// What a model is given. It opens its listeners, calls announce(), serves until a stop signal, and
// returns when what was in flight has been finished and all its children have been reaped.
struct Server {
  const Options& options;
  const Site& site;
  CountersFile& counters;
  Signals& signals;

  // Says on stdout that the server can be reached now.
  void announce(const Fd& listener) const;
};

// The exit code: 0 after an orderly end, 1 when the server could not run, 2 for a mistake on the
// command line. All but 0 come with one sentence on stderr.
int run_program(int argc, char** argv, const Program& program);

}  // namespace baselines
