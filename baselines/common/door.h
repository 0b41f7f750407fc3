// The door of a server: accepts connections, and turns them away when a limit is reached.
//
// Every architecture accepts here, so the limits mean the same everywhere: the client gets the
// handler's 503 where that is possible, stderr gets one line for each episode, the counters get
// `refused`, and nothing crashes or spins.
#pragma once

#include <functional>
#include <string>

#include "baselines/common/clock.h"
#include "baselines/common/counters.h"
#include "baselines/common/fd.h"
#include "baselines/common/limits.h"
#include "baselines/common/options.h"

namespace baselines {

class Door {
 public:
  enum class Sockets { blocking, nonblocking };  // what accepted connections shall be

  // `listener` and `slot` must outlive the door. The caller is the slot's only writer.
  Door(const Fd& listener, Sockets sockets, const Options& options, CounterSlot& slot);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  enum class Kind {
    client,  // a new connection
    again,   // this one came to nothing: try the next at once
    nobody,  // no connection waits (or, on a blocking listener, none came within its timeout)
    pause,   // one waits, but there is no descriptor for it: ask again after kPause
    closed,  // nobody listens any more
  };
  struct Arrival {
    Kind kind;  // never `again`
    Fd socket;  // of a client
  };

  // `open` says how many connections are being served; with --max-connections, those beyond are
  // turned away. It is asked only then, and after the connection has come.
  using CountOpen = std::function<std::size_t()>;
  Arrival accept(const CountOpen& open);

  // accept() in two halves, for an architecture that has an accepting call of its own.
  bool full(const CountOpen& open) const {
    return max_connections_ != 0 && open() >= max_connections_;
  }
  void refuse_full(Fd client);
  // Whether the client that has just been accepted has a descriptor that this door, or another of
  // the process, needs to turn clients away.
  bool took_a_spare();
  void refuse_last(Fd client);
  Kind after_failure(int error);

  // Turns a client away: 503, close. `limit` says which limit, its value and how to raise it.
  void refuse(Fd client, const std::string& limit);

  // Long enough not to be a busy loop, short enough that no client's patience ends.
  static constexpr std::chrono::milliseconds kPause{50};

 private:
  Kind out_of_descriptors(int error);
  static void say_once(const std::string& limit);
  void take_spare();

  const Fd& listener_;
  const int flags_;
  const std::size_t max_connections_;
  CounterSlot& slot_;
  Fd spare_;  // given up for a moment to accept, and answer, a client when all others are taken
};

}  // namespace baselines
