// The live counters of a server, shared with whoever measures it.
//
// `--counters FILE` names a file that the server creates and maps. It holds one header line and one
// cache line ("slot") for each kernel execution vehicle - a process or a kernel thread - so that
// counting never shares a cache line between CPUs. A vehicle owns its slot while it lives and is
// the only writer; a slot is handed on when the vehicle ends and is never reset, so the sum over
// all slots only ever grows. Readers map the file and sum: every value is a relaxed 64-bit atomic.
//
// The layout is a contract: the harness reads it without linking anything from here.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace baselines {

inline constexpr std::uint64_t kCountersMagic = 0x31544e554f435453;  // the bytes "STCOUNT1"
inline constexpr std::uint32_t kCountersSlots = 65536;  // above the pid limit; 4 MiB, sparse

// One kernel execution vehicle's own line. All values count from the server's start.
struct alignas(64) CounterSlot {
  std::atomic<std::uint64_t> requests;     // answers fully handed to the kernel, errors included
  std::atomic<std::uint64_t> connections;  // connections accepted
  std::atomic<std::uint64_t> served;       // connections that got at least one whole answer
  std::atomic<std::uint64_t> closed;   // connections that ended; connections - closed are open now
  std::atomic<std::uint64_t> bytes;    // response bytes handed to the kernel, heads included
  std::atomic<std::uint64_t> errors;   // answers with a status of 400 or more
  std::atomic<std::uint64_t> refused;  // connections turned away because a limit was reached
  std::atomic<std::uint64_t> reserved;
};
static_assert(sizeof(CounterSlot) == 64);

// The first line of the file.
struct alignas(64) CountersHeader {
  std::uint64_t magic;                    // kCountersMagic
  std::uint32_t slot_size;                // sizeof(CounterSlot)
  std::uint32_t slot_count;               // kCountersSlots
  std::atomic<std::uint32_t> slots_used;  // slots [0, slots_used) have been given out at least once
};
static_assert(sizeof(CountersHeader) == 64);

}  // namespace baselines
