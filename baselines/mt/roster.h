// The sockets that threads are serving, so that a server that stops can reach who waits for them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>

namespace baselines {

// A member is whatever must come to its end before the server may: a connection, or a thread that
// can still begin one. The lock is taken when a connection begins and ends, never for a request.
class Roster {
 public:
  static constexpr int kNoSocket = -1;
  using Place = std::list<int>::iterator;

  Place enter(int socket);

  // The member has another socket now, or none: before it can be closed.
  void change(Place place, int socket);

  // Before the socket is closed, so that finish() never shuts down a number used anew.
  void leave(Place place);

  std::size_t size() const;

  // Ends the receiving side of all sockets, also of those yet to come, as if their clients had done
  // so: what was asked is answered. Returns when all have left; whoever is not done in time is cut
  // off together with this process, by its parent.
  void finish();

 private:
  void stop_receiving(int socket) const;

  mutable std::mutex mutex_;
  std::condition_variable all_gone_;
  std::list<int> sockets_;
  bool stopping_ = false;
};

}  // namespace baselines
