// The kinds of clients: each is a straight loop in a state thread of its own.
#pragma once

#include <memory>
#include <random>

#include "harness/stload/connection.h"
#include "harness/stload/control.h"

namespace stload {

// What the clients of one process share.
struct Run {
  const Options& options;
  const Control& control;
  Tally& tally;
  std::vector<Target> targets;
  Target idle_target;
  Picker picker;
  std::mt19937_64 random;
  std::optional<Stamps> stamps;        // when latency counts until an answer arrived
  std::unique_ptr<Arrivals> arrivals;  // open loop: each due time is for the client that takes it
  bool given_up = false;               // what is due is not sent any more

  Target& pick() { return targets[picker.pick(random)]; }
  Stamps* stamps_if_any() { return stamps ? &*stamps : nullptr; }
  Time end() const { return control.end.load(std::memory_order_relaxed); }
  bool in_window(Time time) const { return time >= control.window_begin && time < end(); }
};

class Client {
 public:
  enum class Kind { closed, open, paced, idle, slow };

  // `counts` is null for idle and slow clients beside the others; `phase` (0..1) tells paced
  // clients apart.
  Client(Run& run, Kind kind, const Address& address, ClientCounts* counts, double phase);

  // Before the load: makes the connection, so that it does not begin with connecting.
  void prepare();

  // Until the end, and until what was due before it is done or given up.
  void load();

  Kind kind() const { return kind_; }
  bool measured() const { return counts_ != nullptr; }  // not idle or slow beside the others
  bool asleep() const { return asleep_; }               // not in the middle of asking
  bool connected() const { return connection_.is_open(); }

 private:
  void ask_again_and_again();             // closed and slow
  void ask_when_due(Arrivals& arrivals);  // open and paced
  void stay_idle();

  // False when the end comes before. May return early.
  bool sleep_until(Time due);
  Duration think();
  Duration first_pause();

  Exchange ask(Time due, Time begin);
  void count(Time due, const Exchange& exchange);

  Run& run_;
  const Kind kind_;
  ClientCounts* const counts_;
  const double phase_;
  Connection connection_;
  bool asleep_ = true;
};

}  // namespace stload
