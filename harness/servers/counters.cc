#include "harness/servers/counters.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "harness/error.h"

namespace archbench {
namespace {

constexpr std::uint64_t kMagic = 0x31544e554f435453;  // the bytes "STCOUNT1"

struct Header {
  std::uint64_t magic;
  std::uint32_t slot_size;
  std::uint32_t slot_count;
  std::uint32_t slots_used;
  unsigned char rest[44];
};
static_assert(sizeof(Header) == 64);

struct Slot {
  std::uint64_t requests, connections, served, closed, bytes, errors, refused, reserved;
};
static_assert(sizeof(Slot) == 64);

// The writers use relaxed atomics in other processes; a relaxed load is the reader's half.
std::uint64_t load(const std::uint64_t& value) { return __atomic_load_n(&value, __ATOMIC_RELAXED); }

}  // namespace

CounterFile::CounterFile(const std::filesystem::path& path) {
  const auto refuse = [&](const std::string& why) {
    throw CellFailed("the server's counters (" + path.string() + "): " + why);
  };
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) refuse(errno_text("opening them"));
  struct stat status {};
  if (fstat(file, &status) == 0) size_ = static_cast<std::size_t>(status.st_size);
  void* memory =
      size_ < sizeof(Header) ? MAP_FAILED : mmap(nullptr, size_, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) refuse("expected at least 64 bytes that can be mapped");
  memory_ = static_cast<const unsigned char*>(memory);
  const auto& header = *reinterpret_cast<const Header*>(memory_);
  const std::uint64_t end = sizeof(Header) + std::uint64_t{header.slot_count} * sizeof(Slot);
  if (header.magic != kMagic || header.slot_size != sizeof(Slot) || end > size_) {
    munmap(memory, size_);
    refuse(
        "expected the layout of baselines/common/counters.h; was the server built from another "
        "version?");
  }
}

CounterFile::~CounterFile() { munmap(const_cast<unsigned char*>(memory_), size_); }

CounterTotals CounterFile::read() const {
  const auto& header = *reinterpret_cast<const Header*>(memory_);
  const auto* slots = reinterpret_cast<const Slot*>(memory_ + sizeof(Header));
  const std::uint32_t used =
      std::min(__atomic_load_n(&header.slots_used, __ATOMIC_ACQUIRE), header.slot_count);
  CounterTotals totals;
  for (std::uint32_t i = 0; i < used; ++i) {
    totals.requests += load(slots[i].requests);
    totals.connections += load(slots[i].connections);
    totals.served += load(slots[i].served);
    totals.closed += load(slots[i].closed);
    totals.bytes += load(slots[i].bytes);
    totals.errors += load(slots[i].errors);
    totals.refused += load(slots[i].refused);
  }
  return totals;
}

}  // namespace archbench
