#include "baselines/mt/waiting_room.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

#include "baselines/common/log.h"

namespace baselines {
namespace {

using namespace std::chrono_literals;

// Events fetched in one go.
constexpr int kEvents = 256;

// Deadlines are looked for by walking through all who wait: 20,000 of them are a millisecond's
// work. Nobody is kept waiting longer for that than a sixteenth of the timeout, or a second.
Clock::duration sweep_interval(Clock::duration idle_timeout) {
  return std::clamp<Clock::duration>(idle_timeout / 16, 20ms, 1s);
}

}  // namespace

WaitingRoom::WaitingRoom(const Fd& listener, Clock::duration idle_timeout)
    : listener_(listener),
      sweep_interval_(sweep_interval(idle_timeout)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC)),
      next_sweep_(Clock::now() + sweep_interval_) {
  epoll_event end{EPOLLIN, {.ptr = this}};
  if (!listen(true) || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &end) != 0) {
    throw std::runtime_error("cannot make an epoll set: " + describe_errno(errno) +
                             "; raise 'ulimit -n' or fs.epoll.max_user_watches");
  }
}

bool WaitingRoom::watch(Sessions& session) {
  Session& one = session.front();
  const bool input = one.connection.want() == Want::input;
  epoll_event event{(input ? EPOLLIN : EPOLLOUT) | std::uint32_t{EPOLLONESHOT}, {.ptr = &one}};
  // Under the lock as a whole: the event may come before epoll_ctl() has returned, and then has to
  // find the session here.
  const std::scoped_lock lock(mutex_);
  const int operation = one.watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (epoll_ctl(epoll_.get(), operation, one.socket.get(), &event) != 0) return false;
  one.watched = true;
  sessions_.splice(sessions_.end(), session);
  return true;
}

bool WaitingRoom::listen(bool whether) {
  epoll_event new_clients{EPOLLIN, {}};  // of which `ptr` is null
  return epoll_ctl(epoll_.get(), whether ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener_.get(),
                   &new_clients) == 0;
}

void WaitingRoom::wake() { eventfd_write(wake_.get(), 1); }

WaitingRoom::Ready WaitingRoom::wait(Clock::duration limit) {
  std::array<epoll_event, kEvents> events;
  const auto sleep = std::chrono::ceil<std::chrono::milliseconds>(std::min(limit, sweep_interval_));
  const int count =
      epoll_wait(epoll_.get(), events.data(), kEvents, static_cast<int>(sleep.count()));
  const auto now = Clock::now();
  Ready ready;
  const std::scoped_lock lock(mutex_);
  for (int i = 0; i < count; ++i) {
    void* what = events[static_cast<std::size_t>(i)].data.ptr;
    if (what == nullptr) ready.arrivals = true;
    if (what == nullptr || what == this) continue;
    ready.sessions.splice(ready.sessions.end(), sessions_, static_cast<Session*>(what)->self);
  }
  if (now >= next_sweep_) take_expired(now, ready.sessions);
  return ready;
}

void WaitingRoom::take_expired(Clock::time_point now, Sessions& out) {
  next_sweep_ = now + sweep_interval_;
  for (auto next = sessions_.begin(); next != sessions_.end();) {
    Session& session = *next++;
    if (session.connection.deadline() > now) continue;
    // No event of it may come any more, another thread will have it and may end it. (With no events
    // to be watched for, epoll would still tell of errors.)
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, session.socket.get(), nullptr);
    session.watched = false;
    out.splice(out.end(), sessions_, session.self);
  }
}

}  // namespace baselines
