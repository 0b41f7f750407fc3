// Identical processes, in each of which one kernel thread runs a user-level thread for every
// connection: what libst, GNU Pth and Boost.Fiber have in common. The Runtime is the difference.
//
// A Runtime is one object in each process, made after fork(). It has
//
//   Runtime(Server& server, const Fd& listener)
//   bool wait(Door::Kind why)    called by the accepting thread; lets others run
//                                  nobody: until somebody connects or a signal comes
//                                  pause:  for Door::kPause, or until a signal comes
//                                  again:  until the others have had their turn
//                                returns whether a stop signal has come
//   int start(void* (*function)(void*), void* argument)
//                                a new thread; 0, or the errno that says why there is none
//   class Stream                 a connection that closes itself: Stream(Fd) of a client, or
//                                Stream() and connect(); read(), write() and shut_down() as in
//                                straight_loop.h
//   class Gate                   open(), once, lets the one thread go on that is in wait()
#pragma once

#include <sys/resource.h>
#include <sys/socket.h>

#include <list>

#include "baselines/common/door.h"
#include "baselines/common/listener.h"
#include "baselines/common/plain_socket.h"
#include "baselines/common/program.h"
#include "baselines/common/supervisor.h"

namespace baselines {

// For a runtime that waits with select(): no descriptor is ever opened that it could not wait for,
// so that clients beyond are answered 503 as at every limit of descriptors.
inline void limit_descriptors(rlim_t most) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur <= most) return;
  limit.rlim_cur = most;  // the hard limit stays
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The threads of one process. Nothing is locked: they switch only in calls of the Runtime.
template <class Runtime>
class UserThreads {
 public:
  UserThreads(Server& server, const Fd& listener, CounterSlot& slot)
      : server_(server),
        slot_(slot),
        door_(listener, Door::Sockets::nonblocking, server.options, slot),
        runtime_(server, listener) {}

  void run() {
    auto came_to = Door::Kind::nobody;
    while (!runtime_.wait(came_to)) came_to = accept_clients();
    for (const Serving& serving : serving_) shutdown(serving.socket, SHUT_RD);
    if (!serving_.empty()) all_gone_.wait();
  }

 private:
  // Connections accepted in a row before the threads that serve them run.
  static constexpr int kBatch = 64;

  struct Serving {
    UserThreads* all;
    int socket;
    typename std::list<Serving>::iterator self;
  };

  Door::Kind accept_clients() {
    for (int i = 0; i < kBatch; ++i) {
      Door::Arrival arrival = door_.accept([this] { return open_connections(); });
      if (arrival.kind != Door::Kind::client) return arrival.kind;
      start(std::move(arrival.socket));
    }
    return Door::Kind::again;
  }

  void start(Fd client) {
    serving_.push_back({this, client.get(), {}});
    serving_.back().self = std::prev(serving_.end());
    const int error = runtime_.start(serve, &serving_.back());
    if (error == 0) {
      client.release();  // the thread's now
      return;
    }
    serving_.pop_back();
    door_.refuse(std::move(client), limit_of_tasks("user-level thread", error));
  }

  static void* serve(void* argument) {
    Serving& serving = *static_cast<Serving*>(argument);
    UserThreads& all = *serving.all;
    {
      // None of these runtimes has helpers for what blocks: all threads of the process wait.
      PlainSocket<typename Runtime::Stream, SharedBuffer> socket{Fd(serving.socket)};
      serve_connection(socket, all.server_.site, all.slot_);
    }
    all.serving_.erase(serving.self);
    if (all.serving_.empty()) all.all_gone_.open();
    return nullptr;
  }

  // In all processes. Of this one all threads, also those that have not run yet and not counted.
  std::size_t open_connections() const {
    const std::size_t counted_here = slot_.connections.load(std::memory_order_relaxed) -
                                     slot_.closed.load(std::memory_order_relaxed);
    return server_.counters.open_connections() - counted_here + serving_.size();
  }

  Server& server_;
  CounterSlot& slot_;
  Door door_;
  Runtime runtime_;
  typename Runtime::Gate all_gone_;
  std::list<Serving> serving_;
};

// The model of a server: as many processes as --cpus says.
template <class Runtime>
void serve_user_threads(Server& server) {
  const std::vector<Fd> listeners = open_listeners(server.options, server.options.processes());
  for (const Fd& listener : listeners) make_nonblocking(listener);
  Supervisor supervisor(
      server.signals, server.counters, server.options.processes(),
      [&](int index, CounterSlot& slot) {
        server.signals.renew();
        UserThreads<Runtime>(server, listeners[static_cast<std::size_t>(index)], slot).run();
      });
  server.announce(listeners.front());
  supervisor.run([&] { stop_listening(listeners); });
}

}  // namespace baselines
