#include "baselines/edsm/ring_upstream.h"

#include <cerrno>
#include <variant>

namespace baselines {
namespace {

FetchJob& fetch_of(RingSession& client) { return std::get<FetchJob>(client.job().work); }

}  // namespace

bool RingFetches::begin(RingSession& client) {
  if (idle_.empty()) return connect(client);
  RingUpstream& upstream = *idle_.back();
  idle_.pop_back();
  upstream.used = true;
  converse(upstream, client);
  request_send(upstream);
  return false;
}

bool RingFetches::connect(RingSession& client) {
  const Origin& origin = *fetch_of(client).origin;
  Fd socket = origin.open_socket(0);
  if (!socket) {
    client.job().failure = 502;
    return true;
  }
  RingUpstream& upstream = upstreams_.create(std::move(socket));
  converse(upstream, client);
  upstream.state = RingUpstream::State::connecting;
  io_uring_sqe* sqe = ring_.next();
  io_uring_prep_connect(sqe, upstream.socket.get(), origin.address(), origin.address_size());
  io_uring_sqe_set_data64(sqe, tag_(&upstream));
  return false;
}

void RingFetches::converse(RingUpstream& upstream, RingSession& client) {
  upstream.client = &client;
  upstream.fetch = &fetch_of(client);
  upstream.unsent = upstream.fetch->request;
}

RingSession* RingFetches::completed(RingUpstream& upstream, const io_uring_cqe& completion) {
  const std::optional<bool> complete = advance(upstream, completion);
  ring_.give_back(completion);
  if (!complete) return nullptr;
  RingSession* const client = upstream.client;
  const bool stale = upstream.used && !upstream.fetch->answer.begun();
  if (*complete && upstream.fetch->answer.reusable() && idle_.size() < kMaxIdle) {
    keep(upstream);
  } else {
    upstreams_.destroy(upstream.socket.get());
  }
  if (*complete) return client;
  if (completion.res == -ECANCELED) {
    client->job().failure = 504;
  } else if (!stale) {
    client->job().failure = 502;
  } else if (!connect(*client)) {
    return nullptr;
  }
  return client;
}

// Nothing: the conversation goes on. Else whether it has brought an answer.
std::optional<bool> RingFetches::advance(RingUpstream& upstream, const io_uring_cqe& completion) {
  using State = RingUpstream::State;
  using Progress = UpstreamAnswer::Progress;
  if (completion.res < 0 && completion.res != -ENOBUFS) {
    if (upstream.state == State::connecting)
      upstream.fetch->origin->cannot_connect(-completion.res);
    return false;
  }
  switch (upstream.state) {
    case State::connecting:
      request_send(upstream);
      return std::nullopt;
    case State::sending:
      upstream.unsent.remove_prefix(static_cast<std::size_t>(completion.res));
      if (upstream.unsent.empty()) {
        request_receive(upstream);
      } else {
        request_send(upstream);
      }
      return std::nullopt;
    case State::receiving:
      break;
    case State::idle:
      return std::nullopt;  // cannot be: nothing was asked for
  }
  Progress progress = Progress::incomplete;
  if (completion.res > 0) {
    progress = upstream.fetch->answer.take(ring_.received(completion));
  } else if (completion.res == 0) {
    progress = upstream.fetch->answer.end_of_input();
  }
  if (progress == Progress::complete) return true;
  if (progress == Progress::malformed) return false;
  request_receive(upstream);
  return std::nullopt;
}

void RingFetches::request_send(RingUpstream& upstream) {
  upstream.state = RingUpstream::State::sending;
  io_uring_sqe* sqe = ring_.next();
  io_uring_prep_send(sqe, upstream.socket.get(), upstream.unsent.data(), upstream.unsent.size(),
                     MSG_NOSIGNAL);
  io_uring_sqe_set_data64(sqe, tag_(&upstream));
}

void RingFetches::request_receive(RingUpstream& upstream) {
  upstream.state = RingUpstream::State::receiving;
  io_uring_sqe* sqe = ring_.next();
  io_uring_prep_recv(sqe, upstream.socket.get(), nullptr, 0, 0);
  Ring::select_buffer(sqe);
  io_uring_sqe_set_data64(sqe, tag_(&upstream));
}

void RingFetches::keep(RingUpstream& upstream) {
  upstream.state = RingUpstream::State::idle;
  upstream.client = nullptr;
  idle_.push_back(&upstream);
}

void RingFetches::give_up(RingSession& client) {
  // Rare enough to look for.
  upstreams_.for_each([&](const RingUpstream& upstream) {
    if (upstream.client == &client) ring_.cancel(tag_(&upstream));
  });
}

}  // namespace baselines
