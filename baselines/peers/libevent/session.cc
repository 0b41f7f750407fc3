#include "baselines/peers/libevent/session.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "baselines/common/job.h"
#include "baselines/common/send.h"
#include "baselines/common/timeval.h"
#include "baselines/peers/libevent/add_event.h"
#include "baselines/peers/libevent/loop.h"

namespace baselines {

Session::Session(EventLoop& loop, Fd socket)
    : loop_(loop), socket_(std::move(socket)), connection_(loop.site(), loop.slot(), Clock::now()) {
  event_assign(&readable_, loop.base(), fd(), EV_READ | EV_PERSIST, became_readable, this);
  event_assign(&writable_, loop.base(), fd(), EV_WRITE | EV_PERSIST, became_writable, this);
  evtimer_assign(&timer_, loop.base(), timer_passed, this);
}

Session::~Session() {
  event_del(&readable_);
  event_del(&writable_);
  event_del(&timer_);
}

bool Session::begin() { return wait_for(&readable_) && arm_timer(Clock::now()); }

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
      if (!carry_out_job()) return;
      want = connection_.done(now);
    } else {
      shutdown(fd(), SHUT_WR);
      want = connection_.has_shut_down(now);
    }
  }
  const bool waits = wait_for(want == Want::output ? &writable_ : &readable_) &&
                     (connection_.deadline() >= timer_at_ || arm_timer(now));
  if (!waits) loop_.destroy(*this);
}

// Whether it has been carried out; if not, fetched() will be called.
bool Session::carry_out_job() {
  Job& job = connection_.job();
  // libevent says nothing of disks, so the loop has to wait for them, and everybody with it.
  if (auto* disk = std::get_if<DiskJob>(&job.work)) {
    if (!disk->reads.read_all(disk->block.get())) job.failure = 500;
    return true;
  }
  if (!loop_.fetches().begin(job, connection_.deadline(), fetched, this)) return true;
  if (waiting_ != nullptr) event_del(std::exchange(waiting_, nullptr));
  event_del(&timer_);
  timer_at_ = kNotArmed;
  return false;
}

void Session::fetched(void* session) {
  auto& self = *static_cast<Session*>(session);
  const auto now = Clock::now();
  self.follow(self.connection_.done(now), now);
}

bool Session::wait_for(event* next) {
  if (next == waiting_) return true;
  if (waiting_ != nullptr) event_del(waiting_);
  waiting_ = next;
  return add_event(*next);
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

bool Session::arm_timer(Clock::time_point now) {
  timer_at_ = connection_.deadline();
  // A tick of the coarse clock later than the deadline, so that it has passed by then.
  const timeval left = to_timeval(std::max<Clock::duration>(connection_.deadline() - now, {}) +
                                  std::chrono::milliseconds(4));
  return add_event(timer_, &left);
}

}  // namespace baselines
