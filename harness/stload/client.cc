#include "harness/stload/client.h"

#include <algorithm>

namespace stload {
namespace {

// A client that cannot connect, or not stay, tries again after so long, lest it does nothing but
// that.
constexpr Duration kAfterRefusal = std::chrono::milliseconds(50);

// The library ends waits of a second and more up to a millisecond late, because that spares it a
// look at the clock. Who has to send in time wakes a little before, and sleeps the rest exactly.
constexpr Duration kLongSleep = std::chrono::seconds(1);
constexpr Duration kAwakeBefore = std::chrono::milliseconds(5);

Speed speed_of(Client::Kind kind, const Options& options) {
  if (kind == Client::Kind::slow) return options.speed;
  if (kind == Client::Kind::idle) return {};
  return options.speed_of_clients();
}

bool closes_after_answer(Client::Kind kind, const Options& options) {
  return kind != Client::Kind::idle && options.connection_per_request;
}

}  // namespace

Client::Client(Run& run, Kind kind, const Address& address, ClientCounts* counts, double phase)
    : run_(run),
      kind_(kind),
      counts_(counts),
      phase_(phase),
      connection_(run.options, address, speed_of(kind, run.options),
                  closes_after_answer(kind, run.options), run.stamps_if_any(), run.tally) {}

void Client::prepare() {
  if (closes_after_answer(kind_, run_.options)) return;
  const Failure failure = connection_.open();
  if (failure != Failure::none) run_.tally.run.add(failure, 0);
}

void Client::load() {
  switch (kind_) {
    case Kind::closed:
    case Kind::slow:
      return ask_again_and_again();
    case Kind::open:
      return ask_when_due(*run_.arrivals);
    case Kind::paced: {
      Arrivals own(run_.options.arrivals, *run_.options.per_client_rate, phase_, run_.control.begin,
                   run_.random);
      return ask_when_due(own);
    }
    case Kind::idle:
      return stay_idle();
  }
}

void Client::ask_again_and_again() {
  Time begin = run_.control.begin + first_pause();
  while (sleep_until(begin)) {
    begin = Clock::now();
    while (begin < run_.end()) {
      const Exchange exchange = ask(begin, begin);
      const Duration pause = exchange.failure == Failure::connect ? kAfterRefusal : think();
      // The end of an answer is the beginning of the next request: the clock is read once for both,
      // unless closing took time in between.
      begin = connection_.is_open() ? exchange.end : Clock::now();
      if (pause.count() > 0) {
        begin += pause;
        break;
      }
    }
  }
}

void Client::ask_when_due(Arrivals& arrivals) {
  Time due = arrivals.next();
  for (; due < run_.end(); due = arrivals.next()) {
    const bool waited = due > Clock::now();
    if (waited) sleep_until(due);
    if (due >= run_.end()) return;  // it has been moved
    if (run_.given_up) break;
    const Time begin = Clock::now();
    if (run_.in_window(due)) {
      run_.tally.send_lag.add(begin - due);
      if (waited) {
        run_.tally.wakeup_lag.add(begin - due);
      } else {
        ++run_.tally.queued;
      }
    }
    ask(due, begin);
  }
  // Of arrivals that all share, the first client that comes here counts the rest.
  for (; due < run_.end(); due = arrivals.next()) count(due, {.failure = Failure::unsent});
}

void Client::stay_idle() {
  Tally& tally = run_.tally;
  while (Clock::now() < run_.end()) {
    ask({}, Clock::now());
    if (!connection_.is_open()) {
      sleep_until(Clock::now() + kAfterRefusal);
      continue;
    }
    ++tally.idle_opened;
    ++tally.idle_open;
    asleep_ = true;
    if (!connection_.wait_for_close()) return;
    --tally.idle_open;
    ++tally.idle_closed_by_server;
  }
}

bool Client::sleep_until(Time due) {
  while (due < run_.end()) {
    const Duration left = due - Clock::now();
    if (left.count() <= 0) return true;
    asleep_ = true;
    const Duration now = left < kLongSleep ? left : left - kAwakeBefore;
    // Interrupted only when the end has come; who sleeps looks at that himself.
    const auto us = std::chrono::ceil<std::chrono::microseconds>(now).count();
    if (st_usleep(static_cast<st_utime_t>(us)) != 0) break;
  }
  return due < run_.end();
}

Duration Client::think() {
  const Duration mean = run_.options.think_time;
  if (mean.count() == 0 || kind_ == Kind::slow) return {};
  if (run_.options.think_times == Think::constant) return mean;
  return from_seconds(std::exponential_distribution<double>(1 / seconds(mean))(run_.random));
}

Duration Client::first_pause() {
  // Somewhere in a thought when the load begins. What is left of an exponential time is spread like
  // the whole.
  if (run_.options.think_times == Think::exponential) return think();
  return from_seconds(seconds(think()) * phase_);
}

Exchange Client::ask(Time due, Time begin) {
  asleep_ = false;
  const Exchange exchange =
      connection_.ask(kind_ == Kind::idle ? run_.idle_target : run_.pick(), begin);
  count(due, exchange);
  return exchange;
}

void Client::count(Time due, const Exchange& exchange) {
  Tally& tally = run_.tally;
  const bool answered = exchange.failure == Failure::none;
  auto& live = answered ? tally.live_answers : tally.live_failures;
  live.store(live.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  tally.run.add(exchange.failure, exchange.status);
  if (kind_ == Kind::slow) tally.slow.add(exchange.failure, exchange.status);
  const bool ended_inside = run_.in_window(exchange.end);
  if (ended_inside) tally.window_bytes_read += exchange.bytes_read;
  if (counts_ == nullptr) return;

  if (answered && ended_inside) {
    ++tally.completed;
    ++counts_->completed;
  }
  if (!run_.in_window(due)) return;
  tally.window.add(exchange.failure, exchange.status);
  ++counts_->requests;
  if (!answered) return;
  tally.latency.add(exchange.arrival.value_or(exchange.end) - due);
  if (exchange.arrival) tally.read_lag.add(exchange.end - *exchange.arrival);
  ++counts_->answers;
}

}  // namespace stload
