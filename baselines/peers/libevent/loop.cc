#include "baselines/peers/libevent/loop.h"

#include <sys/socket.h>

#include <new>
#include <stdexcept>

#include "baselines/common/timeval.h"
#include "baselines/peers/libevent/add_event.h"

namespace baselines {

EventLoop::EventLoop(Server& server, const Fd& listener, CounterSlot& slot)
    : server_(server),
      slot_(slot),
      door_(listener, Door::Sockets::nonblocking, server.options, slot),
      base_(event_base_new()),
      fetches_(base()) {
  if (base_ == nullptr) throw std::runtime_error("event_base_new failed; raise 'ulimit -n'");
  event_assign(&arrivals_, base(), listener.get(), EV_READ | EV_PERSIST, somebody_connects, this);
  evtimer_assign(&pause_, base(), accept_again, this);
  event_assign(&signals_, base(), server.signals.fd(), EV_READ | EV_PERSIST, signal_came, this);
  if (!add_event(arrivals_) || !add_event(signals_)) {
    throw std::runtime_error("libevent cannot watch the listening socket and the signals");
  }
}

EventLoop::~EventLoop() {
  event_del(&arrivals_);
  event_del(&pause_);
  event_del(&signals_);
}

void EventLoop::somebody_connects(evutil_socket_t, short, void* loop) {
  auto& self = *static_cast<EventLoop*>(loop);
  for (int i = 0; i < kAccepts; ++i) {
    Door::Arrival arrival =
        self.door_.accept([&self] { return self.server_.counters.open_connections(); });
    if (arrival.kind == Door::Kind::client) {
      try {
        Session& session = self.sessions_.emplace_back(self, std::move(arrival.socket));
        session.self = std::prev(self.sessions_.end());
        if (!session.begin()) self.destroy(session);
      } catch (const std::bad_alloc&) {
        // He is cut off; an exception must not pass through libevent, which is C.
      }
      continue;
    }
    if (arrival.kind == Door::Kind::closed) event_del(&self.arrivals_);
    if (arrival.kind == Door::Kind::pause) self.pause();
    return;
  }
}

// Whoever waits to be accepted is not heard of for a while. Without memory for the timer he is,
// again and again, and the loop serves the others in between.
void EventLoop::pause() {
  const timeval pause = to_timeval(Door::kPause);
  if (add_event(pause_, &pause)) event_del(&arrivals_);
}

void EventLoop::accept_again(evutil_socket_t, short, void* loop) {
  auto& self = *static_cast<EventLoop*>(loop);
  if (!add_event(self.arrivals_)) self.pause();
}

void EventLoop::signal_came(evutil_socket_t, short, void* loop) {
  auto& self = *static_cast<EventLoop*>(loop);
  if (self.server_.signals.take().stop) self.stop();
}

// Every session answers what it has been asked, as if its client had shut down the sending side.
void EventLoop::stop() {
  stopping_ = true;
  event_del(&arrivals_);
  event_del(&pause_);
  for (const Session& session : sessions_) shutdown(session.fd(), SHUT_RD);
  if (sessions_.empty()) event_base_loopbreak(base());
}

void EventLoop::destroy(Session& session) {
  sessions_.erase(session.self);
  if (stopping_ && sessions_.empty()) event_base_loopbreak(base());
}

}  // namespace baselines
