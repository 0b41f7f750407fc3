// What does it cost to wake another thread and wait to be woken? N threads stand in a ring, each
// with a condition variable; one iteration is one signal, one wait and the switch between them. Two
// threads are the usual ping-pong.
#include "state_threads.h"

namespace {

template <class Library>
struct Ring {
  std::vector<st_cond_t> turns;
  bool stop = false;
};

template <class Library>
struct Place {
  Ring<Library>* ring;
  size_t index;
};

template <class Library>
void* stand(void* arg) {
  const auto* place = static_cast<const Place<Library>*>(arg);
  Ring<Library>* ring = place->ring;
  const st_cond_t mine = ring->turns[place->index];
  const st_cond_t next = ring->turns[(place->index + 1) % ring->turns.size()];
  for (;;) {
    Library::cond_wait(mine);
    Library::cond_signal(next);
    if (ring->stop) return nullptr;
  }
}

template <class Library>
void pass_round(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  Ring<Library> ring;
  for (size_t i = 0; i < count; ++i) ring.turns.push_back(Library::cond_new());
  std::vector<Place<Library>> places;
  for (size_t i = 0; i < count; ++i) places.push_back({&ring, i});
  bench::Threads<Library> threads;
  for (size_t i = 1; i < count; ++i) threads.add(stand<Library>, &places[i]);
  threads.settle();
  const auto once_round = [&ring] {
    Library::cond_signal(ring.turns[1]);
    Library::cond_wait(ring.turns[0]);
  };
  bench::repeat(state, state.range(0), once_round);
  ring.stop = true;
  once_round();
  threads.join();
  for (const st_cond_t turn : ring.turns) Library::cond_destroy(turn);
}

const bool asked =
    bench::ask_both("condition", pass_round<bench::Own>, pass_round<bench::Libst>, {2, 10'000});

}  // namespace
