// A connection that is passed from thread to thread, and the list it always lives in.
#pragma once

#include <list>
#include <utility>

#include "baselines/common/fd.h"
#include "baselines/common/http.h"
#include "baselines/mt/roster.h"

namespace baselines {

struct Session {
  Session(Fd client, const Site& site, CounterSlot& slot, Roster& roster)
      : socket(std::move(client)),
        connection(site, slot, Clock::now()),
        member(roster, socket.get()) {}

  Fd socket;
  Connection connection;
  Roster::Member member;
  std::list<Session>::iterator self;  // this session, in whichever list it is
  bool watched = false;               // epoll knows the socket
};

// Whoever has the list owns the sessions in it: a queue, the waiting room, or a thread, which has
// one at a time in its hands. Sessions move by splicing, so they never change their address and
// nothing is allocated.
using Sessions = std::list<Session>;

inline Sessions take_out(Sessions& from, Session& session) {
  Sessions one;
  one.splice(one.end(), from, session.self);
  return one;
}

}  // namespace baselines
