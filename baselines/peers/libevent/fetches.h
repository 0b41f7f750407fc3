// What a libevent loop fetches from the origin for its clients, over bufferevents.
#pragma once

#include <event2/event.h>

#include <vector>

#include "baselines/common/clock.h"
#include "baselines/common/job.h"

struct bufferevent;

namespace baselines {

class Fetches {
 public:
  explicit Fetches(event_base* base) : base_(base) { idle_.reserve(kMaxIdle); }
  ~Fetches();
  Fetches(const Fetches&) = delete;
  Fetches& operator=(const Fetches&) = delete;

  // Carries out the FetchJob in `job`, or notes in it why that failed, by `deadline` at the latest,
  // and then calls ended(client); never before begin() has returned. Until then all must stay.
  // False without memory for that: the failure has been noted, and ended() will not be called.
  bool begin(Job& job, Clock::time_point deadline, void (*ended)(void* client), void* client);

 private:
  class Fetch;

  // Each holds a descriptor here and something more at the origin.
  static constexpr std::size_t kMaxIdle = 256;

  void keep(bufferevent* connection);
  static void idle_no_more(bufferevent* connection, void* fetches);
  static void idle_ended(bufferevent* connection, short what, void* fetches);

  event_base* base_;
  std::vector<bufferevent*> idle_;  // the one used last is used next
};

}  // namespace baselines
