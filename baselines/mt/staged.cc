// Groups of threads with work queues between them: one thread accepts and watches all connections
// that wait for their clients, one group reads and answers requests, one writes responses.
//
//   waiting room --readable--> requests --answered--> responses --written--> waiting room
//        ^  |                     |                     ^  |
//        |  +------- writable ----|---------------------+  |
//        +------- incomplete -----+----- socket full ------+
//
// A push waits while its queue is full. The response group pushes nothing, so no push waits for
// ever.
#include <sched.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <new>
#include <optional>
#include <stdexcept>

#include "baselines/common/blocking_socket.h"
#include "baselines/common/door.h"
#include "baselines/common/log.h"
#include "baselines/common/send.h"
#include "baselines/common/straight_loop.h"
#include "baselines/mt/models.h"
#include "baselines/mt/supervised.h"
#include "baselines/mt/thread_group.h"
#include "baselines/mt/waiting_room.h"
#include "baselines/mt/work_queue.h"

namespace baselines {
namespace {

// A request may wait for a disk, and the next ones shall find a thread meanwhile. Up to 8 threads
// cost no more than 2 (11.4 us of CPU for a request, measured with 64 clients on one CPU), 32 cost
// 2 us more, because the queue wakes all of them in turn.
constexpr int kDefaultRequestThreads = 8;

// Connections accepted before those that are ready are looked at again.
constexpr int kBatch = 64;

// A response waits for nothing but a CPU, so more threads than those would only take turns.
int response_threads() {
  cpu_set_t allowed;
  return sched_getaffinity(0, sizeof(allowed), &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
}

class Stages {
 public:
  // `slot` is the accepting thread's.
  Stages(Server& server, const Fd& listener, CounterSlot& slot)
      : server_(server),
        slot_(slot),
        door_(listener, Door::Sockets::nonblocking, server.options, slot),
        room_(listener, server.options.idle_timeout),
        accepting_(std::in_place, roster_, Roster::kNoSocket) {}

  // What the threads of the three groups do.
  void accept_and_watch();
  void process_requests(CounterSlot& slot);
  void send_responses(CounterSlot& slot);

  // After a stop signal: returns when the last connection has ended. The threads end soon after.
  void finish();

 private:
  void accept_clients();
  void add_client(Fd client);
  static Want receive(Session& session, std::span<char> buffer);
  static Want send(Session& session);
  void let_wait(Sessions& session, Want want);

  Server& server_;
  CounterSlot& slot_;
  Door door_;
  WaitingRoom room_;
  WorkQueue requests_;
  WorkQueue responses_;
  Roster roster_;
  std::optional<Roster::Member> accepting_;  // the accepting thread, while it may add others
  bool paused_ = false;                      // the accepting thread's
  std::atomic<bool> over_ = false;
};

void Stages::accept_and_watch() {
  while (!over_) {
    WaitingRoom::Ready ready = room_.wait(paused_ ? Door::kPause : Clock::duration::max());
    Sessions writable;
    for (auto next = ready.sessions.begin(); next != ready.sessions.end();) {
      const auto session = next++;
      if (session->connection.want() != Want::output) continue;
      writable.splice(writable.end(), ready.sessions, session);
    }
    responses_.push(writable);
    requests_.push(ready.sessions);
    if (paused_) paused_ = !room_.listen(true);
    if (ready.arrivals) accept_clients();
  }
}

void Stages::accept_clients() {
  using Kind = Door::Kind;
  for (int i = 0; i < kBatch; ++i) {
    Door::Arrival arrival = door_.accept([this] { return server_.counters.open_connections(); });
    switch (arrival.kind) {
      case Kind::client:
        add_client(std::move(arrival.socket));
        break;
      case Kind::again:
        break;  // the door has done so
      case Kind::nobody:
        return;
      case Kind::pause:
        room_.listen(false);
        paused_ = true;
        return;
      case Kind::closed:
        room_.listen(false);
        accepting_.reset();
        return;
    }
  }
}

void Stages::add_client(Fd client) try {
  Sessions session;
  session.emplace_back(std::move(client), server_.site, slot_, roster_);
  session.front().self = session.begin();
  if (room_.watch(session)) return;
  const std::string limit =
      "cannot watch a connection: " + describe_errno(errno) + "; raise fs.epoll.max_user_watches";
  client = std::move(session.front().socket);
  session.clear();
  door_.refuse(std::move(client), limit);
} catch (const std::bad_alloc&) {
  // Has been announced; the client has been closed, and perhaps the next one needs less.
}

void Stages::process_requests(CounterSlot& slot) {
  BlockingSocket waiter(-1, server_.options.idle_timeout);  // for the origin, and for its buffer
  for (Sessions one = requests_.pop(); !one.empty(); one = requests_.pop()) {
    Connection& connection = one.front().connection;
    connection.handed_to(slot);
    Want want = connection.want();
    if (want == Want::input) want = receive(one.front(), waiter.buffer());
    while (want == Want::job) {
      carry_out(connection.job(), waiter, connection.deadline());
      want = connection.done(Clock::now());
    }
    if (want == Want::output) {
      responses_.push(one);
    } else {
      let_wait(one, want);
    }
  }
}

Want Stages::receive(Session& session, std::span<char> buffer) {
  Connection& connection = session.connection;
  const ssize_t bytes = recv(session.socket.get(), buffer.data(), buffer.size(), 0);
  const auto now = Clock::now();
  if (bytes > 0) return connection.advance(buffer.first(static_cast<std::size_t>(bytes)), now);
  if (bytes == 0) return connection.end_of_input(now);
  return errno == EAGAIN ? connection.timed_out(now) : Want::close;
}

void Stages::send_responses(CounterSlot& slot) {
  for (Sessions one = responses_.pop(); !one.empty(); one = responses_.pop()) {
    one.front().connection.handed_to(slot);
    let_wait(one, send(one.front()));
  }
}

Want Stages::send(Session& session) {
  Connection& connection = session.connection;
  Want want = Want::output;
  while (want == Want::output) {
    const ssize_t bytes = send_pieces(session.socket.get(), connection.output());
    const auto now = Clock::now();
    if (bytes < 0) return errno == EAGAIN ? connection.timed_out(now) : Want::close;
    want = connection.sent(static_cast<std::size_t>(bytes), now);
  }
  return want;
}

// Out of a group's hands: to wait for the client, or to its end. What waits for a socket that can
// be written to may also be a job, for a request that was pipelined behind the one just answered:
// from there it comes to the request group, into whose queue no response is ever pushed.
void Stages::let_wait(Sessions& session, Want want) {
  if (want == Want::shut_down) {
    shutdown(session.front().socket.get(), SHUT_WR);
    want = session.front().connection.has_shut_down(Clock::now());
  }
  if (want == Want::close || !room_.watch(session)) session.clear();
}

void Stages::finish() {
  roster_.finish();
  over_ = true;
  room_.wake();
  requests_.close();
  responses_.close();
}

// The process's own slot stays empty: a connection is counted by whichever thread has it, so one
// slot alone does not balance, and that is what the parent takes for granted of a worker that has
// ended.
void serve(Server& server, const Fd& listener, CounterSlot&, const std::function<void()>& serving) {
  const auto take_slot = [&]() -> CounterSlot& {
    CounterSlot* own = server.counters.take();
    if (own == nullptr) throw std::runtime_error(kNoSlot);
    return *own;
  };
  Stages stages(server, listener, take_slot());
  std::vector<std::function<void()>> works = {[&] { stages.accept_and_watch(); }};
  const int request_threads =
      server.options.workers == 0 ? kDefaultRequestThreads : server.options.workers;
  for (int i = 0; i < request_threads; ++i) {
    works.emplace_back([&, &own = take_slot()] { stages.process_requests(own); });
  }
  for (int i = 0; i < response_threads(); ++i) {
    works.emplace_back([&, &own = take_slot()] { stages.send_responses(own); });
  }
  const ThreadGroup threads(std::move(works));
  serving();
  wait_for_stop(server);
  stages.finish();
}

}  // namespace

void serve_staged(Server& server) { serve_supervised(server, Listener::nonblocking, serve); }

}  // namespace baselines
