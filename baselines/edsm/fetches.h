// What a readiness loop fetches from the origin for its clients: begins each conversation on a
// pooled connection or a new one, tries once more when a pooled one was stale, gives up in time.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <new>
#include <span>
#include <vector>

#include "baselines/edsm/descriptor_table.h"
#include "baselines/edsm/session.h"
#include "baselines/edsm/upstream.h"

namespace baselines {

template <class Mechanism>
class Fetches {
 public:
  explicit Fetches(Mechanism& mechanism) : mechanism_(mechanism) { idle_.reserve(kMaxIdle); }

  // Begins the fetch that a session waits for. True: it has already ended, or failed.
  bool begin(Session& client, std::span<char> buffer) {
    if (idle_.empty()) return connect(client, buffer);
    Upstream& upstream = *idle_.back();
    idle_.pop_back();
    upstream.begin(client);
    return go_on(upstream, buffer);
  }

  // Null: this descriptor is not an upstream's.
  Upstream* find(int fd) { return upstreams_.find(fd); }

  // An upstream is ready. Returns the session whose fetch has ended by that, or null.
  Session* ready(Upstream& upstream, std::span<char> buffer) {
    Session* client = upstream.client();
    try {
      return go_on(upstream, buffer) ? client : nullptr;
    } catch (const std::bad_alloc&) {  // for what the origin says, so the upstream is still there
      drop(upstream);
      client->job().failure = 500;
      return client;
    }
  }

  // The session's deadline has passed. False: it does not fetch. Rare enough to look for.
  bool give_up(Session& client) {
    Upstream* found = nullptr;
    upstreams_.for_each([&](Upstream& upstream) {
      if (upstream.client() == &client) found = &upstream;
    });
    if (found == nullptr) return false;
    drop(*found);
    client.job().failure = 504;
    return true;
  }

 private:
  // Each holds a descriptor here and something more at the origin.
  static constexpr std::size_t kMaxIdle = 256;

  bool connect(Session& client, std::span<char> buffer) {
    const Origin& origin = *std::get<FetchJob>(client.job().work).origin;
    Fd socket = origin.open_socket(SOCK_NONBLOCK);
    const int fd = socket.get();
    if (!socket || !mechanism_.can_watch(fd) || !begin_connecting(origin, fd)) {
      client.job().failure = 502;
      return true;
    }
    try {
      upstreams_.create(std::move(socket));
      mechanism_.add(fd);
    } catch (const std::bad_alloc&) {
      if (upstreams_.find(fd) != nullptr) upstreams_.destroy(fd);
      client.job().failure = 500;
      return true;
    }
    Upstream& upstream = *upstreams_.find(fd);
    upstream.begin(client);
    return go_on(upstream, buffer);
  }

  static bool begin_connecting(const Origin& origin, int fd) {
    if (::connect(fd, origin.address(), origin.address_size()) == 0) return true;
    if (errno == EINPROGRESS) return true;
    origin.cannot_connect(errno);
    return false;
  }

  // Whether the client's fetch has ended.
  bool go_on(Upstream& upstream, std::span<char> buffer) {
    Session* client = upstream.client();
    switch (upstream.advance(buffer)) {
      case Upstream::Progress::waiting:
        mechanism_.await(upstream.fd(),
                         upstream.state() == Upstream::State::sending ? Want::output : Want::input);
        return false;
      case Upstream::Progress::complete:
        keep(upstream, std::get<FetchJob>(client->job().work).answer.reusable());
        return true;
      case Upstream::Progress::failed:
        break;
    }
    if (client == nullptr) {
      std::erase(idle_, &upstream);
      drop(upstream);
      return false;
    }
    const bool stale = upstream.was_stale();
    drop(upstream);
    if (stale) return connect(*client, buffer);
    client->job().failure = 502;
    return true;
  }

  void keep(Upstream& upstream, bool reusable) {
    if (!reusable || idle_.size() == kMaxIdle) return drop(upstream);
    upstream.release();
    mechanism_.await(upstream.fd(), Want::input);
    idle_.push_back(&upstream);
  }

  void drop(Upstream& upstream) {
    mechanism_.forget(upstream.fd());
    upstreams_.destroy(upstream.fd());
  }

  Mechanism& mechanism_;
  DescriptorTable<Upstream> upstreams_;
  std::vector<Upstream*> idle_;  // the one used last is used next
};

}  // namespace baselines
