#include "baselines/mt/roster.h"

#include <sys/socket.h>

namespace baselines {

Roster::Place Roster::enter(int socket) {
  const std::scoped_lock lock(mutex_);
  if (stopping_) stop_receiving(socket);
  return sockets_.insert(sockets_.end(), socket);
}

void Roster::change(Place place, int socket) {
  const std::scoped_lock lock(mutex_);
  if (stopping_) stop_receiving(socket);
  *place = socket;
}

void Roster::leave(Place place) {
  const std::scoped_lock lock(mutex_);
  sockets_.erase(place);
  if (sockets_.empty()) all_gone_.notify_all();
}

std::size_t Roster::size() const {
  const std::scoped_lock lock(mutex_);
  return sockets_.size();
}

void Roster::finish() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  for (const int socket : sockets_) stop_receiving(socket);
  all_gone_.wait(lock, [this] { return sockets_.empty(); });
}

void Roster::stop_receiving(int socket) {
  if (socket != kNoSocket) shutdown(socket, SHUT_RD);
}

}  // namespace baselines
