#include "harness/stload/tally.h"

#include <algorithm>
#include <numeric>

namespace stload {

void Counts::add(Failure failure, int status, std::uint64_t times) {
  if (failure == Failure::none) {
    answers += times;
    statuses[static_cast<std::size_t>(status)] += times;
  } else {
    errors[static_cast<std::size_t>(failure)] += times;
  }
}

void Counts::merge(const Counts& other) {
  answers += other.answers;
  for (std::size_t i = 0; i < statuses.size(); ++i) statuses[i] += other.statuses[i];
  for (std::size_t i = 0; i < errors.size(); ++i) errors[i] += other.errors[i];
}

std::uint64_t Counts::failed() const {
  return std::accumulate(errors.begin(), errors.end(), std::uint64_t{0});
}

void Tally::say(Failure failure, std::string_view text) {
  auto& place = said[static_cast<std::size_t>(failure)];
  if (place[0] != 0) return;
  place[text.copy(place.data(), place.size() - 1)] = 0;
}

void Tally::merge(const Tally& other) {
  run.merge(other.run);
  window.merge(other.window);
  slow.merge(other.slow);
  connections += other.connections;
  bytes_read += other.bytes_read;
  bytes_written += other.bytes_written;
  window_bytes_read += other.window_bytes_read;
  completed += other.completed;
  queued += other.queued;
  latency.merge(other.latency);
  read_lag.merge(other.read_lag);
  send_lag.merge(other.send_lag);
  wakeup_lag.merge(other.wakeup_lag);
  connect.merge(other.connect);
  clock_was_set |= other.clock_was_set;
  idle_opened += other.idle_opened;
  idle_open += other.idle_open;
  idle_closed_by_server += other.idle_closed_by_server;
  window_cpu.user += other.window_cpu.user;
  window_cpu.system += other.window_cpu.system;
  busiest_share = std::max(busiest_share, other.busiest_share);
  for (std::size_t i = 0; i < kFailures; ++i) {
    if (other.said[i][0] != 0) say(static_cast<Failure>(i), other.said[i].data());
  }
}

}  // namespace stload
