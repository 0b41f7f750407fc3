// The mapping behind the counters: created once by the server, shared with all its processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "baselines/common/counters.h"

namespace baselines {

// For Door::refuse(): take() has returned null.
inline constexpr const char* kNoSlot =
    "all 65536 counter slots are in use; more vehicles at once are not provided for";

// All slots added up.
struct CounterTotals {
  std::uint64_t requests = 0;
  std::uint64_t connections = 0;
  std::uint64_t closed = 0;
  std::uint64_t bytes = 0;
};

// Slots are given out by one thread at a time of the process that created the object.
class CountersFile {
 public:
  // An empty path makes a mapping without a name. Throws std::runtime_error with a whole sentence
  // when the file cannot be created. What was in an old file is gone.
  explicit CountersFile(const std::string& path);
  ~CountersFile();
  CountersFile(const CountersFile&) = delete;
  CountersFile& operator=(const CountersFile&) = delete;

  // A slot for a new vehicle, or null when all are taken. The slot given back last is given out
  // first, so that a reader has no more lines to add up than vehicles lived at once.
  CounterSlot* take();

  // In a process that replaces one which has crashed: all slots but `mine` were that one's
  // threads'. Their connections have been closed by the kernel, and they are given out anew.
  void inherit(const CounterSlot& mine);

  // The vehicle has ended. Connections that it left open when it crashed were closed by the kernel,
  // and are counted so here.
  void give_back(CounterSlot& slot);
  static void settle(CounterSlot& slot);

  CounterTotals totals() const;

  // Connections being served now, by all vehicles. Reads one cache line for each slot.
  std::size_t open_connections() const;

 private:
  static constexpr std::size_t kBytes =
      sizeof(CountersHeader) + kCountersSlots * sizeof(CounterSlot);

  CountersHeader* header_;
  CounterSlot* slots_;
  std::vector<std::uint32_t> free_;  // given back, the last one on top
};

}  // namespace baselines
