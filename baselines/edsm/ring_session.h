// A connection in a completion loop: the handler's object, its socket, and what the kernel is doing
// for it.
#pragma once

#include <cstdint>
#include <utility>

#include "baselines/common/fd.h"
#include "baselines/common/http.h"
#include "baselines/edsm/timer_wheel.h"

namespace baselines {

// Lives until nothing of it is in the kernel's hands: a completion carries its address.
struct RingSession : Timer {
  RingSession(Fd client, const Site& site, CounterSlot& slot, Clock::time_point now)
      : socket(std::move(client)), connection(site, slot, now) {}

  int fd() const { return socket.get(); }
  Want want() const { return broken && !working ? Want::close : connection.want(); }
  Job& job() const { return connection.job(); }

  bool receiving : 1 = false;  // a receive is armed
  bool starved : 1 = false;  // a receive has found no buffer, and is not armed until there are some
  bool sending : 1 = false;  // output() is being sent, and must stay where it is
  bool answered : 1 = false;  // has sent something
  bool broken : 1 = false;    // the socket is good for nothing more
  bool working : 1 = false;   // the connection's job is being carried out
  std::uint8_t ahead = 0;     // receives that have completed since input was not wanted
  Fd socket;
  Connection connection;
};

}  // namespace baselines
