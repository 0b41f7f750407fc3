#include "baselines/edsm/upstream.h"

#include <sys/socket.h>

#include <cerrno>
#include <variant>

#include "baselines/edsm/session.h"

namespace baselines {

void Upstream::begin(Session& client) {
  client_ = &client;
  fetch_ = &std::get<FetchJob>(client.job().work);
  unsent_ = fetch_->request;
  state_ = State::sending;
  ++uses_;
}

Upstream::Progress Upstream::advance(std::span<char> buffer) {
  switch (state_) {
    case State::sending:
      return send_rest();
    case State::receiving:
      return receive(buffer);
    case State::idle:
      break;
  }
  // Nothing is expected but the end: the origin closes what has been idle for too long.
  const bool quiet = recv(fd(), buffer.data(), buffer.size(), 0) < 0 && errno == EAGAIN;
  return quiet ? Progress::waiting : Progress::failed;
}

// A socket that is being connected takes nothing yet; one that could not be says so here.
Upstream::Progress Upstream::send_rest() {
  while (!unsent_.empty()) {
    const ssize_t bytes = send(fd(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (bytes < 0) return errno == EAGAIN ? Progress::waiting : Progress::failed;
    unsent_.remove_prefix(static_cast<std::size_t>(bytes));
  }
  state_ = State::receiving;
  return Progress::waiting;  // nobody answers that fast, and an answer is an event
}

// An answer has an end (UpstreamAnswer takes 16 MiB at most), so this needs no turns.
Upstream::Progress Upstream::receive(std::span<char> buffer) {
  for (;;) {
    const ssize_t bytes = recv(fd(), buffer.data(), buffer.size(), 0);
    if (bytes < 0) return errno == EAGAIN ? Progress::waiting : Progress::failed;
    const UpstreamAnswer::Progress progress =
        bytes == 0 ? fetch_->answer.end_of_input()
                   : fetch_->answer.take(buffer.first(static_cast<std::size_t>(bytes)));
    if (progress == UpstreamAnswer::Progress::complete) return Progress::complete;
    if (progress == UpstreamAnswer::Progress::malformed) return Progress::failed;
  }
}

void Upstream::release() {
  client_ = nullptr;
  fetch_ = nullptr;
  state_ = State::idle;
}

}  // namespace baselines
