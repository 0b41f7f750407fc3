// Processes that read from the disk for a loop which never does. Each makes the reads of one
// session at a time, into memory that it shares with the loop; a byte on a socket says that there
// is something to do, and a byte back that it has been done.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <span>

#include "baselines/common/fd.h"
#include "baselines/edsm/epoll.h"
#include "baselines/edsm/session.h"

namespace baselines {

struct Server;

class DiskHelpers {
 public:
  // Starts --workers processes, if there is a disk to read from. Throws std::runtime_error when
  // that fails.
  DiskHelpers(Epoll& epoll, const Server& server);
  // Ends the processes when they have done what they are at.
  ~DiskHelpers();
  DiskHelpers(const DiskHelpers&) = delete;
  DiskHelpers& operator=(const DiskHelpers&) = delete;

  // As disk_in_line.h says.
  bool begin(Session& client);
  bool owns(int fd) const { return find(fd) != nullptr; }
  Session* ready(int fd);

 private:
  struct Desk;  // what one helper shares with the loop

  struct Helper {
    pid_t pid = 0;
    Fd socket;
    Desk* desk = nullptr;
    Session* client = nullptr;  // null: free
  };

  struct Unmap {
    std::size_t bytes;
    void operator()(Desk* desks) const noexcept;
  };

  Helper* find(int fd) const;
  void start(Helper& helper);
  [[noreturn]] static void work(int socket, int disk, Desk& desk);
  static void assign(Helper& helper, Session& client);

  Epoll& epoll_;
  int disk_ = -1;  // inherited by the helpers
  std::unique_ptr<Desk[], Unmap> desks_;
  std::unique_ptr<Helper[]> helpers_;
  std::size_t count_ = 0;
  std::deque<Session*> waiting_;  // for a helper to become free
};

}  // namespace baselines
