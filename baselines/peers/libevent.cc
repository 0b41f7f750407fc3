// libevent: every connection is an object that event callbacks advance.
#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <stdexcept>

#include "baselines/common/door.h"
#include "baselines/common/job.h"
#include "baselines/common/listener.h"
#include "baselines/common/program.h"
#include "baselines/common/send.h"
#include "baselines/common/straight_loop.h"
#include "baselines/common/supervisor.h"
#include "baselines/common/timeval.h"

namespace baselines {
namespace {

class EventLoop;

// A connection. It is always in exactly one of: waits to be readable, waits to be writable.
class Session {
 public:
  Session(EventLoop& loop, Fd socket);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  int fd() const { return socket_.get(); }
  std::list<Session>::iterator self;  // the loop's

 private:
  static void became_readable(evutil_socket_t, short, void* session);
  static void became_writable(evutil_socket_t, short, void* session);
  static void timer_passed(evutil_socket_t, short, void* session);
  void follow(Want want, Clock::time_point now);
  Want write_out(Clock::time_point now);
  Want carry_out_job(Clock::time_point now);
  void arm_timer(Clock::time_point now);

  static constexpr Clock::time_point kNotArmed = Clock::time_point::max();

  EventLoop& loop_;
  Fd socket_;
  Connection connection_;
  event readable_{};
  event writable_{};
  // The deadline moves with every request, the timer when it passes, or when the deadline has come
  // nearer.
  event timer_{};
  Clock::time_point timer_at_ = kNotArmed;
  bool writing_ = false;
};

class EventLoop {
 public:
  EventLoop(Server& server, const Fd& listener, CounterSlot& slot);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Until a stop signal has come and the last connection has ended.
  void run() { event_base_dispatch(base_); }

  void destroy(Session& session);

  event_base* base() const { return base_; }
  const Site& site() const { return server_.site; }
  CounterSlot& slot() const { return slot_; }
  std::span<char> buffer() { return buffer_; }

 private:
  // Connections accepted in one go: few enough that nobody waits long behind the others.
  static constexpr int kAccepts = 64;

  static void somebody_connects(evutil_socket_t, short, void* loop);
  static void accept_again(evutil_socket_t, short, void* loop);
  static void signal_came(evutil_socket_t, short, void* loop);
  void stop();

  Server& server_;
  CounterSlot& slot_;
  Door door_;
  event_base* base_;
  event arrivals_{};
  event pause_{};
  event signals_{};
  std::list<Session> sessions_;
  bool stopping_ = false;
  std::array<char, kReadBytes> buffer_;
};

Session::Session(EventLoop& loop, Fd socket)
    : loop_(loop), socket_(std::move(socket)), connection_(loop.site(), loop.slot(), Clock::now()) {
  event_assign(&readable_, loop.base(), fd(), EV_READ | EV_PERSIST, became_readable, this);
  event_assign(&writable_, loop.base(), fd(), EV_WRITE | EV_PERSIST, became_writable, this);
  evtimer_assign(&timer_, loop.base(), timer_passed, this);
  event_add(&readable_, nullptr);
  arm_timer(Clock::now());
}

Session::~Session() {
  event_del(&readable_);
  event_del(&writable_);
  event_del(&timer_);
}

void Session::became_readable(evutil_socket_t, short, void* session) {
  auto& self = *static_cast<Session*>(session);
  const auto now = Clock::now();
  const std::span<char> buffer = self.loop_.buffer();
  const ssize_t bytes = recv(self.fd(), buffer.data(), buffer.size(), 0);
  if (bytes > 0) {
    const std::span<const char> read = buffer.first(static_cast<std::size_t>(bytes));
    self.follow(self.connection_.advance(read, now), now);
  } else if (bytes == 0) {
    self.follow(self.connection_.end_of_input(now), now);
  } else if (errno != EAGAIN) {
    self.loop_.destroy(self);
  }
}

void Session::became_writable(evutil_socket_t, short, void* session) {
  auto& self = *static_cast<Session*>(session);
  self.follow(Want::output, Clock::now());
}

void Session::timer_passed(evutil_socket_t, short, void* session) {
  auto& self = *static_cast<Session*>(session);
  const auto now = Clock::now();
  self.timer_at_ = kNotArmed;
  self.follow(self.connection_.timed_out(now), now);  // which arms it anew, or ends the session
}

void Session::follow(Want want, Clock::time_point now) {
  while (want != Want::input) {
    if (want == Want::close) return loop_.destroy(*this);
    if (want == Want::output) {
      want = write_out(now);
      if (want == Want::output) break;  // the socket takes no more
    } else if (want == Want::job) {
      want = carry_out_job(now);
    } else {
      shutdown(fd(), SHUT_WR);
      want = connection_.has_shut_down(now);
    }
  }
  const bool writes = want == Want::output;
  if (writes != writing_) {
    writing_ = writes;
    event_del(writes ? &readable_ : &writable_);
    event_add(writes ? &writable_ : &readable_, nullptr);
  }
  if (connection_.deadline() < timer_at_) arm_timer(now);
}

// libevent says nothing of disks, so the loop has to wait for them, and everybody with it.
Want Session::carry_out_job(Clock::time_point now) {
  Job& job = connection_.job();
  if (auto* disk = std::get_if<DiskJob>(&job.work)) {
    if (!disk->reads.read_all(disk->block.get())) job.failure = 500;
  } else {
    job.failure = 501;
  }
  return connection_.done(now);
}

// Until the socket takes no more.
Want Session::write_out(Clock::time_point now) {
  for (Want want = Want::output; want == Want::output;) {
    std::size_t wanted = 0;
    for (const iovec& piece : connection_.output()) wanted += piece.iov_len;
    const ssize_t bytes = send_pieces(fd(), connection_.output());
    if (bytes < 0) return errno == EAGAIN ? Want::output : Want::close;
    want = connection_.sent(static_cast<std::size_t>(bytes), now);
    if (static_cast<std::size_t>(bytes) < wanted) return want;
  }
  return connection_.want();
}

void Session::arm_timer(Clock::time_point now) {
  timer_at_ = connection_.deadline();
  // A tick of the coarse clock later than the deadline, so that it has passed by then.
  const timeval left = to_timeval(std::max<Clock::duration>(connection_.deadline() - now, {}) +
                                  std::chrono::milliseconds(4));
  event_add(&timer_, &left);
}

EventLoop::EventLoop(Server& server, const Fd& listener, CounterSlot& slot)
    : server_(server),
      slot_(slot),
      door_(listener, Door::Sockets::nonblocking, server.options, slot),
      base_(event_base_new()) {
  if (base_ == nullptr) throw std::runtime_error("event_base_new failed; raise 'ulimit -n'");
  event_assign(&arrivals_, base_, listener.get(), EV_READ | EV_PERSIST, somebody_connects, this);
  evtimer_assign(&pause_, base_, accept_again, this);
  event_assign(&signals_, base_, server.signals.fd(), EV_READ | EV_PERSIST, signal_came, this);
  event_add(&arrivals_, nullptr);
  event_add(&signals_, nullptr);
}

EventLoop::~EventLoop() {
  event_del(&arrivals_);
  event_del(&pause_);
  event_del(&signals_);
  sessions_.clear();
  event_base_free(base_);
}

void EventLoop::somebody_connects(evutil_socket_t, short, void* loop) {
  auto& self = *static_cast<EventLoop*>(loop);
  for (int i = 0; i < kAccepts; ++i) {
    Door::Arrival arrival =
        self.door_.accept([&self] { return self.server_.counters.open_connections(); });
    if (arrival.kind == Door::Kind::client) {
      Session& session = self.sessions_.emplace_back(self, std::move(arrival.socket));
      session.self = std::prev(self.sessions_.end());
      continue;
    }
    if (arrival.kind != Door::Kind::nobody) event_del(&self.arrivals_);
    if (arrival.kind == Door::Kind::pause) {
      const timeval pause = to_timeval(Door::kPause);
      event_add(&self.pause_, &pause);
    }
    return;
  }
}

void EventLoop::accept_again(evutil_socket_t, short, void* loop) {
  event_add(&static_cast<EventLoop*>(loop)->arrivals_, nullptr);
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
  if (sessions_.empty()) event_base_loopbreak(base_);
}

void EventLoop::destroy(Session& session) {
  sessions_.erase(session.self);
  if (stopping_ && sessions_.empty()) event_base_loopbreak(base_);
}

void serve_loop(Server& server) {
  const std::vector<Fd> listeners = open_listeners(server.options, server.options.processes());
  for (const Fd& listener : listeners) make_nonblocking(listener);
  Supervisor supervisor(server.signals, server.counters, server.options.processes(),
                        [&](int index, CounterSlot& slot) {
                          server.signals.renew();
                          EventLoop(server, listeners[static_cast<std::size_t>(index)], slot).run();
                        });
  server.announce(listeners.front());
  supervisor.run([&] { stop_listening(listeners); });
}

}  // namespace
}  // namespace baselines

int main(int argc, char** argv) {
  using namespace baselines;
  static constexpr std::array models = {
      Model{"loop", "--cpus identical processes [1], each a libevent loop over epoll", serve_loop},
  };
  return run_program(argc, argv,
                     {"HTTP server on libevent: every connection is an object that event callbacks "
                      "advance.",
                      models});
}
