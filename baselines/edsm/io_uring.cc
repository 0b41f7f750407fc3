// io_uring: the loop asks for whole operations - accept, receive, send - and hears when they are
// done. Accepts, and the receives of a connection that stays, are asked for once and complete again
// and again. What a batch of completions leads to is handed over together with the wait for the
// next batch, so a busy server makes one system call for many requests.
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

#include "baselines/common/door.h"
#include "baselines/common/job.h"
#include "baselines/edsm/descriptor_table.h"
#include "baselines/edsm/models.h"
#include "baselines/edsm/ring.h"
#include "baselines/edsm/ring_session.h"
#include "baselines/edsm/ring_upstream.h"
#include "baselines/edsm/symmetric.h"

namespace baselines {
namespace {

using namespace std::chrono_literals;
using std::chrono::microseconds;
using std::chrono::milliseconds;

// What a completion is about: one of these, and in the other bits the address of a session, or of
// an upstream.
enum class About : std::uint64_t { nothing, arrival, signal, receive, send, disk, upstream };
constexpr std::uint64_t kAboutMask = 7;
static_assert(alignof(RingSession) > kAboutMask && alignof(RingUpstream) > kAboutMask);

std::uint64_t tag(About about, const void* subject = nullptr) {
  return reinterpret_cast<std::uintptr_t>(subject) | static_cast<std::uint64_t>(about);
}

// Receives that may complete while the client does not take its answers, or waits for one. Then
// nothing more is received before it has: the handler keeps what has come in memory. 64 KiB.
constexpr std::uint8_t kMostAhead = 64;

// How many receives the loop waits for before it goes on, if they come within kPatience: enough to
// make the system call a small part of each, ...
constexpr std::size_t kMostAwaited = 16;
// ... and what no client will notice.
constexpr microseconds kPatience{50};
constexpr microseconds kForEver = 24h;  // as good as

class RingLoop {
 public:
  RingLoop(Server& server, const Fd& listener, CounterSlot& slot);

  // Until a stop signal has come and the last connection has ended.
  void run();

 private:
  void wait();
  void handle(const io_uring_cqe& completion, Clock::time_point now);
  void arrived(const io_uring_cqe& completion, Clock::time_point now);
  void add_client(Fd socket, Clock::time_point now);
  bool beyond_limit(int fd);
  void received(RingSession& session, const io_uring_cqe& completion, Clock::time_point now);
  void feed_starved(Clock::time_point now);
  void sent(RingSession& session, int result, Clock::time_point now);
  void settle(RingSession& session, Clock::time_point now);
  void begin_job(RingSession& session, Clock::time_point now);
  void disk_read(RingSession& session, int result, Clock::time_point now);
  void carried_out(RingSession& session, Clock::time_point now);
  void timer_passed(Timer& timer, Clock::time_point now);
  void stop();

  void request_arrivals();
  void request_signals();
  void request_receive(RingSession& session);
  void request_send(RingSession& session);
  void request_disk(RingSession& session, const DiskJob& disk);
  void end(RingSession& session);

  Server& server_;
  const Fd& listener_;
  CounterSlot& slot_;
  Door door_;
  Ring ring_;
  RingFetches fetches_{ring_,
                       [](const RingUpstream* upstream) { return tag(About::upstream, upstream); }};
  DescriptorTable<RingSession> sessions_;
  TimerWheel timers_;
  Timer accept_again_;        // in the wheel while accepting is paused
  std::deque<int> starved_;   // descriptors of sessions that wait for a buffer to receive into
  unsigned receives_ = 0;     // completed in this turn of the loop
  unsigned quick_sends_ = 0;  // asked for in this turn, and short enough to be done at once
  int highest_ = -1;          // the highest descriptor that a client had
  bool stop_heard_ = false;
  bool stopping_ = false;
};

RingLoop::RingLoop(Server& server, const Fd& listener, CounterSlot& slot)
    : server_(server),
      listener_(listener),
      slot_(slot),
      door_(listener, Door::Sockets::blocking, server.options, slot) {
  request_signals();
  request_arrivals();
}

void RingLoop::run() {
  while (!stopping_ || sessions_.size() > 0) {
    wait();
    const auto now = Clock::now();
    ring_.for_each_completion([&](const io_uring_cqe& completion) { handle(completion, now); });
    feed_starved(now);
    if (stop_heard_) stop();
    timers_.expire(now, [&](Timer& timer) { timer_passed(timer, now); });
  }
}

// Waits for as many receives as there were last time, so that batches stay large under load, and a
// single client is not kept waiting - and for the sends that will be done before the wait begins.
void RingLoop::wait() {
  const auto most = static_cast<unsigned>(std::min(kMostAwaited, sessions_.size() / 4));
  const unsigned awaited = quick_sends_ + std::max(1u, std::min(receives_, most));
  const int sleep_ms = timers_.sleep_ms(Clock::now());
  const std::chrono::microseconds sleep = sleep_ms < 0 ? kForEver : milliseconds(sleep_ms);
  ring_.wait(awaited, awaited == 1 ? sleep : std::min(sleep, kPatience));
  quick_sends_ = receives_ = 0;
}

void RingLoop::handle(const io_uring_cqe& completion, Clock::time_point now) {
  const std::uint64_t subject = completion.user_data & ~kAboutMask;
  auto* session = reinterpret_cast<RingSession*>(subject);
  switch (About{completion.user_data & kAboutMask}) {
    case About::receive:
      return received(*session, completion, now);
    case About::send:
      return sent(*session, completion.res, now);
    case About::disk:
      return disk_read(*session, completion.res, now);
    case About::upstream:
      session = fetches_.completed(*reinterpret_cast<RingUpstream*>(subject), completion);
      if (session != nullptr) carried_out(*session, now);
      return;
    case About::arrival:
      return arrived(completion, now);
    case About::signal:
      stop_heard_ = server_.signals.take().stop;
      if ((completion.flags & IORING_CQE_F_MORE) == 0) request_signals();
      return;
    case About::nothing:  // a cancellation that came too late
      return;
  }
}

void RingLoop::arrived(const io_uring_cqe& completion, Clock::time_point now) {
  using Kind = Door::Kind;
  Kind kind = Kind::client;
  if (completion.res >= 0) {
    Fd client(completion.res);
    if (door_.full([this] { return server_.counters.open_connections(); })) {
      door_.refuse_full(std::move(client));
    } else {
      add_client(std::move(client), now);
    }
  } else {
    kind = door_.after_failure(-completion.res);
  }
  if (kind == Kind::closed) return;
  if (kind == Kind::pause) return timers_.schedule(accept_again_, now + Door::kPause, now);
  if ((completion.flags & IORING_CQE_F_MORE) == 0) request_arrivals();
}

void RingLoop::add_client(Fd socket, Clock::time_point now) {
  if (beyond_limit(socket.get())) {
    return door_.refuse(std::move(socket), "RLIMIT_NOFILE has been lowered; raise 'ulimit -n'");
  }
  RingSession* session = nullptr;
  try {
    session = &sessions_.create(std::move(socket), server_.site, slot_, now);
  } catch (const std::bad_alloc&) {
    return;  // has been announced; the client has been closed
  }
  settle(*session, now);
}

// Accepts that are armed go by the limit of the time when they were armed. Descriptors are dense,
// so a new highest one is a rare occasion to look at the limit of today.
bool RingLoop::beyond_limit(int fd) {
  if (fd <= highest_) return false;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (static_cast<rlim_t>(fd) >= limit.rlim_cur) return true;
  highest_ = fd;
  return false;
}

void RingLoop::received(RingSession& session, const io_uring_cqe& completion,
                        Clock::time_point now) {
  session.receiving = (completion.flags & IORING_CQE_F_MORE) != 0;
  if (completion.res > 0) {
    ++receives_;
    if (session.want() != Want::input && ++session.ahead == kMostAhead) {
      ring_.cancel(tag(About::receive, &session));
    }
    session.connection.advance(ring_.received(completion), now);
  } else if (completion.res == 0) {
    session.connection.end_of_input(now);
  } else if (completion.res == -ENOBUFS) {
    session.starved = true;
    starved_.push_back(session.fd());
  } else if (completion.res != -ECANCELED) {
    session.broken = true;
  }
  ring_.give_back(completion);
  settle(session, now);
}

// Receives that have found no buffer. Asked for again all at once, most would find none again.
void RingLoop::feed_starved(Clock::time_point now) {
  for (std::size_t fed = 0; fed < Ring::kBuffers / 2 && !starved_.empty(); ++fed) {
    RingSession* session = sessions_.find(starved_.front());
    starved_.pop_front();
    if (session == nullptr || !session->starved) continue;  // ended meanwhile
    session->starved = false;
    settle(*session, now);
  }
}

void RingLoop::sent(RingSession& session, int result, Clock::time_point now) {
  session.sending = false;
  if (result >= 0) {
    session.answered = true;
    session.connection.sent(static_cast<std::size_t>(result), now);
  } else if (result == -ECANCELED) {
    session.connection.timed_out(now);
  } else {
    session.broken = true;
  }
  settle(session, now);
}

// What follows from where a session has come to.
void RingLoop::settle(RingSession& session, Clock::time_point now) {
  switch (session.want()) {
    case Want::job:
      return begin_job(session, now);
    case Want::shut_down:
      shutdown(session.fd(), SHUT_WR);
      session.connection.has_shut_down(now);
      return settle(session, now);
    case Want::input:
      session.ahead = 0;
      if (!session.receiving && !session.starved) request_receive(session);
      break;
    case Want::output:
      if (!session.sending) request_send(session);
      break;
    case Want::close:
      if (session.sending) return ring_.cancel(tag(About::send, &session));
      if (session.receiving) return ring_.cancel(tag(About::receive, &session));
      return end(session);
  }
  timers_.schedule(session, session.connection.deadline(), now);
}

void RingLoop::begin_job(RingSession& session, Clock::time_point now) {
  if (session.working) return;
  session.working = true;
  auto* disk = std::get_if<DiskJob>(&session.job().work);
  if (disk == nullptr) {
    if (fetches_.begin(session)) return carried_out(session, now);
  } else {
    if (disk->reads.left == 0) return carried_out(session, now);
    request_disk(session, *disk);
  }
  timers_.schedule(session, session.connection.deadline(), now);
}

void RingLoop::disk_read(RingSession& session, int result, Clock::time_point now) {
  auto& disk = std::get<DiskJob>(session.job().work);
  if (!disk.reads.took(result, disk.block.get())) {
    session.job().failure = 500;
  } else if (disk.reads.left > 0) {
    return request_disk(session, disk);
  }
  carried_out(session, now);
}

void RingLoop::carried_out(RingSession& session, Clock::time_point now) {
  session.working = false;
  session.connection.done(now);
  settle(session, now);
}

void RingLoop::timer_passed(Timer& timer, Clock::time_point now) {
  if (&timer == &accept_again_) {
    if (!stopping_) request_arrivals();
    return;
  }
  auto& session = static_cast<RingSession&>(timer);
  if (now >= session.connection.deadline()) {
    // What is being sent is taken back first: sent() goes on from there.
    if (session.sending) return ring_.cancel(tag(About::send, &session));
    // A fetch is asked to end, with every tick until it has; reads from a disk end by themselves.
    if (session.working) {
      fetches_.give_up(session);
      return timers_.schedule(session, now, now);
    }
    session.connection.timed_out(now);
  }
  settle(session, now);
}

void RingLoop::stop() {
  stop_heard_ = false;
  stopping_ = true;
  // Every armed receive, and every later one, completes with what has come, and then with the end.
  sessions_.for_each([](RingSession& session) { shutdown(session.fd(), SHUT_RD); });
}

void RingLoop::request_arrivals() {
  io_uring_sqe* sqe = ring_.next();
  io_uring_prep_multishot_accept(sqe, listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
  io_uring_sqe_set_data64(sqe, tag(About::arrival));
}

void RingLoop::request_signals() {
  io_uring_sqe* sqe = ring_.next();
  io_uring_prep_poll_multishot(sqe, server_.signals.fd(), POLLIN);
  io_uring_sqe_set_data64(sqe, tag(About::signal));
}

void RingLoop::request_receive(RingSession& session) {
  io_uring_sqe* sqe = ring_.next();
  // The first one ends when something has come: of a client that wants one answer and no more,
  // there is then nothing to cancel before its socket can be closed.
  if (session.answered) {
    io_uring_prep_recv_multishot(sqe, session.fd(), nullptr, 0, 0);
  } else {
    io_uring_prep_recv(sqe, session.fd(), nullptr, 0, 0);
  }
  Ring::select_buffer(sqe);
  io_uring_sqe_set_data64(sqe, tag(About::receive, &session));
  session.receiving = true;
}

void RingLoop::request_send(RingSession& session) {
  io_uring_sqe* sqe = ring_.next();
  const std::span<const iovec> pieces = session.connection.output();
  if (pieces.size() == 1) {
    // What one block holds, a socket's buffer takes; and with a receive armed, nothing has to be
    // done when it has.
    if (session.receiving) ++quick_sends_;
    io_uring_prep_send(sqe, session.fd(), pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
  } else {
    msghdr& message = ring_.message_of(sqe);
    message = {};
    message.msg_iov = const_cast<iovec*>(pieces.data());  // it is only read
    message.msg_iovlen = pieces.size();
    io_uring_prep_sendmsg(sqe, session.fd(), &message, MSG_NOSIGNAL);
  }
  io_uring_sqe_set_data64(sqe, tag(About::send, &session));
  session.sending = true;
}

void RingLoop::request_disk(RingSession& session, const DiskJob& disk) {
  io_uring_sqe* sqe = ring_.next();
  io_uring_prep_read(sqe, disk.reads.fd, disk.block.get(), kDiskBlockBytes,
                     static_cast<std::uint64_t>(disk.reads.offset()));
  io_uring_sqe_set_data64(sqe, tag(About::disk, &session));
}

void RingLoop::end(RingSession& session) {
  timers_.cancel(session);
  io_uring_sqe* sqe = ring_.next();
  const int fd = session.socket.release();
  io_uring_prep_close(sqe, fd);
  io_uring_sqe_set_data64(sqe, tag(About::nothing));
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  sessions_.destroy(fd);
}

}  // namespace

void serve_io_uring(Server& server) {
  Ring();  // so that a kernel without is told of here, and not by every worker
  serve_symmetric<RingLoop>(server);
}

}  // namespace baselines
