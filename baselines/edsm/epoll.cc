// Identical processes, each with one loop over epoll. A socket enters epoll once, edge-triggered
// for both directions, when it is accepted, and leaves it when it is closed: a request costs a
// read, a write and a share of epoll_wait().
#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <stdexcept>

#include "baselines/common/door.h"
#include "baselines/common/listener.h"
#include "baselines/common/log.h"
#include "baselines/common/program.h"
#include "baselines/common/straight_loop.h"
#include "baselines/common/supervisor.h"
#include "baselines/edsm/models.h"
#include "baselines/edsm/session_table.h"

namespace baselines {
namespace {

// Events fetched, and connections accepted, in one go: enough to make the cost of the call
// invisible, few enough that nobody waits long behind the others.
constexpr int kEvents = 256;
constexpr int kAccepts = 64;

class EpollLoop {
 public:
  EpollLoop(Server& server, const Fd& listener, CounterSlot& slot);

  // Until a stop signal has come and the last connection has ended.
  void run();

 private:
  void control(int operation, int fd, std::uint32_t events);
  void handle(const epoll_event& event, Clock::time_point now);
  void accept_clients(Clock::time_point now);
  void add_client(Fd socket, Clock::time_point now);
  void give_turns(Clock::time_point now);
  void timer_passed(Timer& timer, Clock::time_point now);
  void settle(Session& session, Want want, Clock::time_point now);
  void stop(Clock::time_point now);

  Server& server_;
  const Fd& listener_;
  CounterSlot& slot_;
  Door door_;
  Fd epoll_;
  SessionTable sessions_;
  TimerWheel timers_;
  Timer accept_again_;      // in the wheel while accepting is paused
  std::vector<int> again_;  // descriptors of sessions that have more to do and will get no event
  bool arrivals_ = false;   // somebody waits to be accepted
  bool stopping_ = false;
  std::array<char, kReadBytes> buffer_;
};

EpollLoop::EpollLoop(Server& server, const Fd& listener, CounterSlot& slot)
    : server_(server),
      listener_(listener),
      slot_(slot),
      door_(listener, Door::Sockets::nonblocking, server.options, slot),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  control(EPOLL_CTL_ADD, server_.signals.fd(), EPOLLIN);
  control(EPOLL_CTL_ADD, listener_.get(), EPOLLIN);  // level-triggered: accepted in batches
}

void EpollLoop::control(int operation, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  if (epoll_ctl(epoll_.get(), operation, fd, &event) != 0) {
    throw std::runtime_error("epoll_ctl for descriptor " + std::to_string(fd) + ": " +
                             describe_errno(errno) +
                             "; fs.epoll.max_user_watches or memory may be exhausted");
  }
}

void EpollLoop::run() {
  std::array<epoll_event, kEvents> events;
  while (!stopping_ || sessions_.size() > 0) {
    const int sleep_ms = again_.empty() ? timers_.sleep_ms(Clock::now()) : 0;
    const int count = epoll_wait(epoll_.get(), events.data(), kEvents, sleep_ms);
    const auto now = Clock::now();
    for (int i = 0; i < count; ++i) handle(events[static_cast<std::size_t>(i)], now);
    give_turns(now);
    // Last, so that a new connection never takes a descriptor that this batch still speaks of.
    if (arrivals_) accept_clients(now);
    timers_.expire(now, [&](Timer& timer) { timer_passed(timer, now); });
  }
}

void EpollLoop::handle(const epoll_event& event, Clock::time_point now) {
  const int fd = event.data.fd;
  if (fd == listener_.get()) {
    arrivals_ = true;
  } else if (fd == server_.signals.fd()) {
    if (server_.signals.take().stop) stop(now);
  } else if (Session* session = sessions_.find(fd)) {
    constexpr std::uint32_t kEnd = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    if ((event.events & (EPOLLIN | kEnd)) != 0) {
      session->became_readable((event.events & kEnd) != 0);
    }
    if ((event.events & (EPOLLOUT | kEnd)) != 0) session->became_writable();
    settle(*session, session->advance(buffer_, now), now);
  }
}

// What follows from where a session has come to.
void EpollLoop::settle(Session& session, Want want, Clock::time_point now) {
  if (want == Want::close) {
    timers_.cancel(session);
    sessions_.destroy(session);  // closing the socket takes it out of epoll
    return;
  }
  timers_.schedule(session, session.deadline(), now);
  if (session.wants_turn() && !session.in_queue) {
    session.in_queue = true;
    again_.push_back(session.fd());
  }
}

void EpollLoop::give_turns(Clock::time_point now) {
  if (again_.empty()) return;
  const std::vector<int> turns = std::exchange(again_, {});
  for (const int fd : turns) {
    Session* session = sessions_.find(fd);
    if (session == nullptr) continue;  // ended meanwhile
    session->in_queue = false;
    settle(*session, session->advance(buffer_, now), now);
  }
}

void EpollLoop::accept_clients(Clock::time_point now) {
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
        control(EPOLL_CTL_MOD, listener_.get(), 0);
        timers_.schedule(accept_again_, now + Door::kPause, now);
        return;
      case Kind::closed:
        control(EPOLL_CTL_DEL, listener_.get(), 0);
        return;
    }
  }
}

void EpollLoop::add_client(Fd socket, Clock::time_point now) {
  // Whatever has come already is an event, too: no read on suspicion.
  control(EPOLL_CTL_ADD, socket.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  Session& session = sessions_.create(std::move(socket), server_.site, slot_, now);
  timers_.schedule(session, session.deadline(), now);
}

void EpollLoop::timer_passed(Timer& timer, Clock::time_point now) {
  if (&timer == &accept_again_) {
    if (!stopping_) control(EPOLL_CTL_MOD, listener_.get(), EPOLLIN);
    return;
  }
  auto& session = static_cast<Session&>(timer);
  settle(session, session.timed_out(buffer_, now), now);
}

void EpollLoop::stop(Clock::time_point now) {
  stopping_ = true;
  sessions_.for_each([&](Session& session) {
    session.stop_receiving();
    settle(session, session.advance(buffer_, now), now);
  });
}

}  // namespace

void serve_epoll(Server& server) {
  const std::vector<Fd> listeners = open_listeners(server.options, server.options.processes());
  for (const Fd& listener : listeners) make_nonblocking(listener);
  Supervisor supervisor(server.signals, server.counters, server.options.processes(),
                        [&](int index, CounterSlot& slot) {
                          server.signals.renew();
                          EpollLoop(server, listeners[static_cast<std::size_t>(index)], slot).run();
                        });
  server.announce(listeners.front());
  supervisor.run([&] { stop_listening(listeners); });
}

}  // namespace baselines
