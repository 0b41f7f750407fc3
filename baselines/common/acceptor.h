// One acceptor that starts a vehicle - a process or a thread - for each connection.
#pragma once

#include <vector>

#include "baselines/common/door.h"
#include "baselines/common/program.h"

namespace baselines {

// What serves the connections, one vehicle each.
class Vehicles {
 public:
  virtual ~Vehicles() = default;
  virtual std::size_t size() const = 0;  // how many live
  virtual void start(Fd client) = 0;     // or Acceptor::refuse() it
  virtual void reap() {}                 // SIGCHLD has come
};

class Acceptor {
 public:
  // Opens the listening socket; accepted sockets are blocking ones.
  explicit Acceptor(Server& server);

  // Announces the server and accepts until a stop signal comes. Afterwards nobody listens.
  void run(Vehicles& vehicles);

  void refuse(Fd client, const std::string& limit) { door_.refuse(std::move(client), limit); }
  const Fd& listener() const { return listeners_.front(); }

 private:
  Signals::Heard wait(bool paused);

  Server& server_;
  std::vector<Fd> listeners_;  // one
  Door door_;
};

}  // namespace baselines
