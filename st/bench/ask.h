// Internal: benchmarks only. How a question is put to a library.
//
// A benchmark is called question/library/argument. Each file of this folder asks one question, each
// file in peers/ answers all of them for one other library, and all are in one program: so they
// take turns in the same run, and a quiet minute favours nobody.
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace bench {

// Has `answer` measured as question/library, once for each argument. The files call it when they
// initialize a static variable, so that a file which is not linked asks nothing.
inline benchmark::internal::Benchmark* ask(const std::string& question, const std::string& library,
                                           void (*answer)(benchmark::State&),
                                           const std::vector<int64_t>& arguments = {}) {
  auto* asked = benchmark::RegisterBenchmark((question + "/" + library).c_str(), answer);
  for (const int64_t argument : arguments) asked->Arg(argument);
  return asked;
}

// Runs `turn` until the benchmark ends, many times between two looks at the counter, which is not
// free beside a switch of a few nanoseconds. Each turn is `steps` iterations.
template <class Turn>
void repeat(benchmark::State& state, int64_t steps, Turn turn) {
  const int64_t turns = 1 + 128 / steps;
  while (state.KeepRunningBatch(turns * steps))
    for (int64_t i = 0; i < turns; ++i) turn();
}

// Enough for what benchmarked threads do, everywhere.
inline constexpr int kStackBytes = 64 * 1024;

}  // namespace bench
