// One acceptor that starts a vehicle - a process or a thread - for each connection.
#pragma once

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
  // `listener` must be non-blocking, and it and `slot` must outlive the acceptor; accepted sockets
  // are blocking ones. Refusals are counted in `slot`.
  Acceptor(Server& server, const Fd& listener, CounterSlot& slot);

  // Accepts until a stop signal comes.
  void run(Vehicles& vehicles);

  void refuse(Fd client, const std::string& limit) { door_.refuse(std::move(client), limit); }

 private:
  Signals::Heard wait(bool paused);
  static void start(Vehicles& vehicles, Fd client);

  Server& server_;
  const Fd& listener_;
  Door door_;
};

}  // namespace baselines
