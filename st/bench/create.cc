// What does a thread cost that does nothing: create, run, end, join? A server pays it for each
// connection. Stacks are used again, which every library here is given the chance to do.
#include "state_threads.h"

namespace {

template <class Library>
void create_and_join(benchmark::State& state) {
  const auto nothing = [](void* arg) -> void* { return arg; };
  for (auto _ : state) {
    const st_thread_t thread = Library::thread_create(nothing, nullptr, 1, bench::kStackBytes);
    Library::thread_join(thread, nullptr);
  }
}

const bool asked =
    bench::ask_both("create", create_and_join<bench::Own>, create_and_join<bench::Libst>);

}  // namespace
