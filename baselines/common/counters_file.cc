#include "baselines/common/counters_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <new>
#include <stdexcept>

#include "baselines/common/fd.h"
#include "baselines/common/log.h"

namespace baselines {
namespace {

Fd create(const std::string& path, std::size_t bytes) {
  // A new inode each time: whoever still maps the file of an earlier server keeps that one. Only a
  // regular file is replaced; O_EXCL then refuses everything else, /dev/null for example.
  struct stat old {};
  if (lstat(path.c_str(), &old) == 0 && S_ISREG(old.st_mode)) unlink(path.c_str());
  Fd file(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (file && ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) return Fd();
  return file;
}

}  // namespace

CountersFile::CountersFile(const std::string& path) {
  Fd file;
  if (!path.empty()) {
    file = create(path, kBytes);
    if (!file) {
      throw std::runtime_error("--counters '" + path +
                               "': cannot create the file: " + describe_errno(errno) +
                               "; give a name in a folder that exists and can be written to");
    }
  }
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                      file ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS, file.get(), 0);
  if (memory == MAP_FAILED) {
    const int error = errno;
    throw std::runtime_error("--counters '" + path + "': cannot map " + std::to_string(kBytes) +
                             " bytes: " + describe_errno(error) + "; " +
                             (error == ENOMEM ? "raise 'ulimit -v', it needs address space only"
                                              : "put the file on a local file system"));
  }
  header_ = new (memory) CountersHeader{};
  header_->slot_size = sizeof(CounterSlot);
  header_->slot_count = kCountersSlots;
  // The pages read as zeros, which is what a slot's atomics begin with; writing all of them would
  // only make a sparse file full.
  slots_ = reinterpret_cast<CounterSlot*>(static_cast<char*>(memory) + sizeof(CountersHeader));
  // The magic comes last: whoever sees it sees the rest.
  std::atomic_ref(header_->magic).store(kCountersMagic, std::memory_order_release);
}

CountersFile::~CountersFile() { munmap(header_, kBytes); }

CounterSlot* CountersFile::take() {
  if (!free_.empty()) {
    CounterSlot* slot = &slots_[free_.back()];
    free_.pop_back();
    return slot;
  }
  const std::uint32_t used = header_->slots_used.load(std::memory_order_relaxed);
  if (used == kCountersSlots) return nullptr;
  free_.reserve(used + 1);  // so that giving back never needs memory
  header_->slots_used.store(used + 1, std::memory_order_release);
  return &slots_[used];
}

void CountersFile::inherit(const CounterSlot& mine) {
  for (std::uint32_t i = header_->slots_used.load(std::memory_order_relaxed); i-- > 0;) {
    if (&slots_[i] != &mine) give_back(slots_[i]);
  }
}

void CountersFile::settle(CounterSlot& slot) {
  slot.closed.store(slot.connections.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

void CountersFile::give_back(CounterSlot& slot) {
  settle(slot);
  free_.push_back(static_cast<std::uint32_t>(&slot - slots_));
}

CounterTotals CountersFile::totals() const {
  CounterTotals totals;
  const std::uint32_t used = header_->slots_used.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < used; ++i) {
    const CounterSlot& slot = slots_[i];
    // `closed` first: a connection that ends between the two loads must not make the difference
    // negative.
    totals.closed += slot.closed.load(std::memory_order_acquire);
    totals.connections += slot.connections.load(std::memory_order_relaxed);
    totals.requests += slot.requests.load(std::memory_order_relaxed);
    totals.bytes += slot.bytes.load(std::memory_order_relaxed);
  }
  return totals;
}

std::size_t CountersFile::open_connections() const {
  const CounterTotals now = totals();
  return now.connections > now.closed ? now.connections - now.closed : 0;
}

}  // namespace baselines
