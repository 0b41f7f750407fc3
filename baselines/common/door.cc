#include "baselines/common/door.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "baselines/common/http.h"
#include "baselines/common/log.h"

namespace baselines {
namespace {

Fd open_spare() { return Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

std::string limit_of_descriptors() {
  return "all descriptors of this process are taken (RLIMIT_NOFILE " + limit_value(RLIMIT_NOFILE) +
         "); raise 'ulimit -n'";
}

// Doors of this process that are without their spare descriptor. While one has given it up, another
// thread may accept a client with it; kept, that client would cost the first door its voice.
std::atomic<int> without_spare = 0;

}  // namespace

Door::Door(const Fd& listener, Sockets sockets, const Options& options, CounterSlot& slot)
    : listener_(listener),
      flags_(SOCK_CLOEXEC | (sockets == Sockets::nonblocking ? SOCK_NONBLOCK : 0)),
      max_connections_(options.max_connections),
      slot_(slot) {
  ++without_spare;
  take_spare();
}

Door::~Door() {
  if (!spare_) --without_spare;
}

void Door::take_spare() {
  spare_ = open_spare();
  if (spare_) --without_spare;
}

bool Door::took_a_spare() {
  if (!spare_) take_spare();
  return without_spare > 0 && !open_spare();
}

void Door::refuse_last(Fd client) { refuse(std::move(client), limit_of_descriptors()); }

Door::Arrival Door::accept(const CountOpen& open) {
  for (;;) {
    Fd client(accept4(listener_.get(), nullptr, nullptr, flags_));
    if (client && took_a_spare()) {
      refuse_last(std::move(client));
      continue;
    }
    if (client && !full(open)) return {Kind::client, std::move(client)};
    if (client) {
      refuse_full(std::move(client));
    } else if (const Kind kind = after_failure(errno); kind != Kind::again) {
      return {kind, Fd()};
    }
  }
}

Door::Kind Door::after_failure(int error) {
  switch (error) {
    case EAGAIN:
    case EINTR:
      return Kind::nobody;
    case EINVAL:  // stop_listening()
    case EBADF:
      return Kind::closed;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return out_of_descriptors(error);
    default:
      return Kind::again;  // this one client has gone already: ECONNABORTED, EPROTO and their like
  }
}

Door::Kind Door::out_of_descriptors(int error) {
  const std::string limit = error == EMFILE ? limit_of_descriptors()
                            : error == ENFILE
                                ? "all descriptors of the system are taken; raise fs.file-max"
                                : "the kernel is out of memory (" + describe_errno(error) + ")";
  Kind kind = Kind::pause;
  if (spare_) {
    ++without_spare;
    spare_.close();
    Fd client(accept4(listener_.get(), nullptr, nullptr, flags_));
    if (client) {
      kind = Kind::again;
      refuse(std::move(client), limit);
    } else if (errno == EAGAIN) {
      kind = Kind::nobody;
    }
  }
  take_spare();
  if (kind == Kind::pause) say_once(limit);
  return kind;
}

void Door::refuse_full(Fd client) {
  refuse(std::move(client),
         "--max-connections " + std::to_string(max_connections_) + " are being served");
}

void Door::refuse(Fd client, const std::string& limit) {
  say_once(limit);
  slot_.refused.store(slot_.refused.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  const std::string_view answer = refusal();
  send(client.get(), answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  shutdown(client.get(), SHUT_WR);
  // Closing a socket with unread bytes resets it and may take the answer along, so what has come is
  // read; a client that sends on and on is not worth more than this.
  std::array<char, 16384> unread;
  recv(client.get(), unread.data(), unread.size(), MSG_DONTWAIT);
}

void Door::say_once(const std::string& limit) {
  static Episode episode;  // the process's: a pool of threads has many doors and says it once
  if (episode.begins()) log_line("turning clients away with 503: %s", limit.c_str());
}

}  // namespace baselines
