// Disk reads in a loop that has no better way: readiness says nothing of disks, so the loop makes
// the reads itself and everybody waits for them. (Literature calls such a server SPED.)
#pragma once

#include "baselines/common/job.h"
#include "baselines/edsm/session.h"

namespace baselines {

struct Server;

// What another way of reading has to offer to a loop (disk_helpers.h):
struct DiskInLine {
  template <class Mechanism>
  DiskInLine(Mechanism&, const Server&) {}

  // Begins the reads that a session waits for. True: they have been made, or have failed.
  bool begin(Session& client) {
    auto& disk = std::get<DiskJob>(client.job().work);
    if (!disk.reads.read_all(disk.block.get())) client.job().failure = 500;
    return true;
  }

  // `fd`, which is no socket, has become readable: whether that is a matter of disks, and whose
  // reads have been made by that, or null.
  bool owns(int) const { return false; }
  Session* ready(int) { return nullptr; }
};

}  // namespace baselines
