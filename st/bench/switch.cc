// What does it cost to give way to the next of N threads, all of which are runnable? With two, all
// they touch is in the first-level cache; with 10,000, nothing is.
#include "state_threads.h"

namespace {

template <class Library>
void give_way(benchmark::State& state) {
  static bool stop;
  stop = false;
  const int64_t count = state.range(0);
  bench::Threads<Library> threads;
  const auto until_stopped = [](void*) -> void* {
    while (!stop) Library::give_way();
    return nullptr;
  };
  for (int64_t i = 1; i < count; ++i) threads.add(until_stopped, nullptr);
  Library::give_way();
  // When the first thread's turn comes again, all have had theirs.
  bench::repeat(state, count, Library::give_way);
  stop = true;
  threads.join();
}

const bool asked =
    bench::ask_both("switch", give_way<bench::Own>, give_way<bench::Libst>, {2, 10'000});

}  // namespace
