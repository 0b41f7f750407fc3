// The loop over a readiness mechanism: accepting, sessions, deadlines, turns and the end.
//
// Whether a descriptor is ready the loop learns from a Mechanism (epoll.cc, poll.cc, select.cc),
// which is all that these models differ in:
//
//   void watch(int fd), unwatch(int fd)   the loop's own: reported as long as they are readable
//   bool can_watch(int fd), kLimit        if it has no room for a socket: why, for the log
//   void add(int fd)                      a session's socket, which wants input
//   void await(int fd, Want want)         what it waits for now: input, output or (job) neither
//   void forget(int fd)                   it is about to be closed
//   void wait(int sleep_ms)               until something is ready; -1: for ever
//   void for_each_ready(F handle)         handle(fd, Ready), each descriptor at most once; it may
//                                         await() for, or forget(), the one it is given
//
// Requests that have to wait for something else than their client: fetches.h for the origin, and
// for a disk a Disk, as disk_in_line.h.
#pragma once

#include <new>
#include <string>
#include <utility>
#include <vector>

#include "baselines/common/door.h"
#include "baselines/common/program.h"
#include "baselines/common/straight_loop.h"
#include "baselines/edsm/descriptor_table.h"
#include "baselines/edsm/disk_in_line.h"
#include "baselines/edsm/fetches.h"
#include "baselines/edsm/session.h"
#include "baselines/edsm/timer_wheel.h"

namespace baselines {

template <class Mechanism, class Disk = DiskInLine>
class Loop {
 public:
  Loop(Server& server, const Fd& listener, CounterSlot& slot)
      : server_(server),
        listener_(listener),
        slot_(slot),
        door_(listener, Door::Sockets::nonblocking, server.options, slot),
        disk_(mechanism_, server) {
    mechanism_.watch(server_.signals.fd());
    mechanism_.watch(listener_.get());
  }

  // Until a stop signal has come and the last connection has ended.
  void run() {
    while (!stopping_ || sessions_.size() > 0) {
      const bool work_left = !again_.empty() || !jobs_.empty();
      mechanism_.wait(work_left ? 0 : timers_.sleep_ms(Clock::now()));
      const auto now = Clock::now();
      mechanism_.for_each_ready([&](int fd, Ready ready) { handle(fd, ready, now); });
      begin_jobs();
      give_turns(now);
      // Last, so that a new connection never takes a descriptor that this batch still speaks of.
      if (arrivals_) accept_clients(now);
      if (stop_heard_) stop(now);
      timers_.expire(now, [&](Timer& timer) { timer_passed(timer, now); });
    }
  }

 private:
  // Connections accepted in one go: enough to make the cost of a turn of the loop invisible, few
  // enough that nobody waits long behind the others.
  static constexpr int kAccepts = 64;

  void handle(int fd, Ready ready, Clock::time_point now) {
    if (Session* session = sessions_.find(fd)) {
      session->became(ready);
      settle(*session, session->advance(buffer_, now), now);
    } else if (Upstream* upstream = fetches_.find(fd)) {
      carried_out(fetches_.ready(*upstream, buffer_));
    } else if (disk_.owns(fd)) {
      carried_out(disk_.ready(fd));
    } else if (fd == listener_.get()) {
      arrivals_ = true;
    } else if (fd == server_.signals.fd() && server_.signals.take().stop) {
      stop_heard_ = true;
    }
  }

  // What follows from where a session has come to.
  void settle(Session& session, Want want, Clock::time_point now) {
    if (want == Want::close) return end(session);
    mechanism_.await(session.fd(), want);
    timers_.schedule(session, session.deadline(), now);
    if (want == Want::input && session.had_its_turn()) return queue(session);
    if (want == Want::job && session.take_job()) put(session, jobs_, &session);
  }

  void queue(Session& session) {
    if (session.in_queue) return;
    session.in_queue = true;
    put(session, again_, session.fd());
  }

  // Without memory for its place in a list, a session ends, and the loop goes on with the others.
  template <class Item>
  void put(Session& session, std::vector<Item>& list, Item item) {
    try {
      list.push_back(item);
    } catch (const std::bad_alloc&) {
      end(session);
    }
  }

  void end(Session& session) {
    timers_.cancel(session);
    mechanism_.forget(session.fd());
    sessions_.destroy(session.fd());
  }

  // Not when it is wanted but after the batch: who begins one may take, and give back, descriptors.
  void begin_jobs() {
    if (jobs_.empty()) return;
    for (Session* session : std::exchange(jobs_, {})) {
      const bool fetch = std::holds_alternative<FetchJob>(session->job().work);
      const bool ended = fetch ? fetches_.begin(*session, buffer_) : disk_.begin(*session);
      if (ended) carried_out(session);
    }
  }

  void carried_out(Session* session) {
    if (session == nullptr) return;
    session->job_carried_out();
    queue(*session);
  }

  void give_turns(Clock::time_point now) {
    if (again_.empty()) return;
    const std::vector<int> turns = std::exchange(again_, {});
    for (const int fd : turns) {
      Session* session = sessions_.find(fd);
      if (session == nullptr) continue;  // ended meanwhile
      session->in_queue = false;
      settle(*session, session->advance(buffer_, now), now);
    }
  }

  void accept_clients(Clock::time_point now) {
    using Kind = Door::Kind;
    arrivals_ = false;
    for (int i = 0; i < kAccepts; ++i) {
      Door::Arrival arrival = door_.accept([this] { return server_.counters.open_connections(); });
      switch (arrival.kind) {
        case Kind::client:
          add_client(std::move(arrival.socket), now);
          break;
        case Kind::again:
          break;  // the door has done so
        case Kind::nobody:
          return;
        case Kind::pause:
          mechanism_.unwatch(listener_.get());
          timers_.schedule(accept_again_, now + Door::kPause, now);
          return;
        case Kind::closed:
          mechanism_.unwatch(listener_.get());
          return;
      }
    }
  }

  void add_client(Fd socket, Clock::time_point now) {
    const int fd = socket.get();
    if (!mechanism_.can_watch(fd)) return door_.refuse(std::move(socket), Mechanism::kLimit);
    try {
      Session& session = sessions_.create(std::move(socket), server_.site, slot_, now);
      // Whatever has come already is an event, too: no read on suspicion.
      mechanism_.add(fd);
      timers_.schedule(session, session.deadline(), now);
    } catch (const std::bad_alloc&) {
      if (sessions_.find(fd) != nullptr) sessions_.destroy(fd);
    }
  }

  void timer_passed(Timer& timer, Clock::time_point now) {
    if (&timer == &accept_again_) {
      if (!stopping_) mechanism_.watch(listener_.get());
      return;
    }
    auto& session = static_cast<Session&>(timer);
    if (session.want() == Want::job && now >= session.deadline()) {
      if (fetches_.give_up(session)) carried_out(&session);
      return;  // the next deadline is for taking the answer
    }
    settle(session, session.timed_out(buffer_, now), now);
  }

  void stop(Clock::time_point now) {
    stop_heard_ = false;
    stopping_ = true;
    sessions_.for_each([&](Session& session) {
      session.stop_receiving();
      settle(session, session.advance(buffer_, now), now);
    });
  }

  Server& server_;
  const Fd& listener_;
  CounterSlot& slot_;
  Door door_;
  Mechanism mechanism_;
  Disk disk_;
  Fetches<Mechanism> fetches_{mechanism_};
  DescriptorTable<Session> sessions_;
  TimerWheel timers_;
  Timer accept_again_;      // in the wheel while accepting is paused
  std::vector<int> again_;  // descriptors of sessions that have more to do and will get no event
  std::vector<Session*> jobs_;  // sessions whose jobs are to be begun
  bool arrivals_ = false;       // somebody waits to be accepted
  bool stop_heard_ = false;
  bool stopping_ = false;
  std::array<char, kReadBytes> buffer_;
};

}  // namespace baselines
