// The sockets that threads are serving, so that a server that stops can reach who waits for them.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>

namespace baselines {

// The lock is taken when a connection begins and ends, never for a request.
class Roster {
 public:
  static constexpr int kNoSocket = -1;

  // Whatever must come to its end before the server may: a connection, or a thread that can still
  // begin one. It leaves by being destroyed, which must be before its socket is closed: finish()
  // would shut down a number used anew.
  class Member {
   public:
    Member(Roster& roster, int socket) : roster_(roster), place_(roster.enter(socket)) {}
    ~Member() { roster_.leave(place_); }
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

    // Serves another socket from now on, or none.
    void change(int socket) { roster_.change(place_, socket); }

   private:
    Roster& roster_;
    std::list<int>::iterator place_;
  };

  std::size_t size() const;

  // Ends the receiving side of all sockets, also of those yet to come, as if their clients had done
  // so: what was asked is answered. Returns when all have left; whoever is not done in time is cut
  // off together with this process, by its parent.
  void finish();

 private:
  using Place = std::list<int>::iterator;

  Place enter(int socket);
  void change(Place place, int socket);
  void leave(Place place);
  static void stop_receiving(int socket);

  mutable std::mutex mutex_;
  std::condition_variable all_gone_;
  std::list<int> sockets_;
  bool stopping_ = false;
};

}  // namespace baselines
