#include "harness/stload/worker.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "harness/stload/error.h"

namespace stload {
namespace {

// Connections are opened in bursts with pauses: 25,600 a second, so that a server with a backlog of
// 128 that accepts as fast drops none of them (a dropped one comes back after a second).
constexpr std::size_t kBurst = 128;
constexpr st_utime_t kBetweenBursts = 5'000;  // microseconds

// How long somebody who has ended the run early waits for answers that are under way.
constexpr Duration kPatience = std::chrono::seconds(2);

st_bell_t bell = nullptr;  // rung by the signal handler

Duration duration(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

CpuTime cpu_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);  // fails only for arguments that these are not
  return {duration(usage.ru_utime), duration(usage.ru_stime)};
}

std::string request_for(const Url& url, const std::string& path, bool keep_alive) {
  return "GET " + path + " HTTP/1.1\r\nHost: " + url.authority() + "\r\n" +
         (keep_alive ? "" : "Connection: close\r\n") + "\r\n";
}

void hear_signals() {
  bell = st_bell_new();
  if (bell == nullptr) throw Fatal(with_errno("a bell for signals", errno));
  struct sigaction action {};
  action.sa_handler = [](int) { st_bell_ring(bell); };
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGINT, SIG_IGN);  // ^C goes to the whole group; the parent passes it on
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_UNBLOCK, &all, nullptr);
}

}  // namespace

Worker::Worker(const Options& options, const Control& control, Tally& tally,
               std::span<ClientCounts> counts, Share share)
    : share_(share),
      counts_(counts),
      run_{options, control, tally, {}, {}, Picker(options.paths), std::mt19937_64(), {}, nullptr} {
  std::seed_seq seed{options.seed, static_cast<std::uint64_t>(share.index)};
  run_.random.seed(seed);
  // The kernel may delay every wake-up by 50 us otherwise, to save energy.
  prctl(PR_SET_TIMERSLACK, 1);
  st_set_eventsys(ST_EVENTSYS_ALT);
  if (st_init() != 0) throw Fatal(with_errno("st_init", errno));
  hear_signals();
  if (options.latency_until == Until::arrived) run_.stamps.emplace();
  changed_ = st_cond_new();
  begin_ = st_cond_new();
  if (changed_ == nullptr || begin_ == nullptr) throw Fatal(with_errno("st_cond_new", errno));
  make_targets();
}

Worker::~Worker() {
  st_cond_destroy(begin_);
  st_cond_destroy(changed_);
}

void Worker::make_targets() {
  const Options& options = run_.options;
  const auto target = [&](const std::string& path, bool keep_alive) {
    return Target{
        path, request_for(options.url, path, keep_alive), {}, 200, options.expected.value_or("")};
  };
  for (const WeightedPath& path : options.paths) {
    run_.targets.push_back(target(path.path, !options.connection_per_request));
  }
  run_.idle_target = target(options.paths.front().path, true);
}

void Worker::prepare() {
  const Options& options = run_.options;
  if (options.check && !options.expected) {
    Connection connection(options, options.addresses.front(), {}, false, nullptr, run_.tally);
    for (Target& target : run_.targets) learn(connection, target);
    run_.idle_target.expected_status = run_.targets.front().expected_status;
    run_.idle_target.expected_body = run_.targets.front().expected_body;
  }
  const Client::Kind kind = options.rate              ? Client::Kind::open
                            : options.per_client_rate ? Client::Kind::paced
                                                      : Client::Kind::closed;
  add_clients(kind, options.clients);
  add_clients(Client::Kind::idle, options.idle);
  add_clients(Client::Kind::slow, options.slow_clients);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (i > 0 && i % kBurst == 0) st_usleep(kBetweenBursts);
    start(slots_[i]);
  }
  while (prepared_ < slots_.size()) st_cond_wait(changed_);
}

void Worker::learn(Connection& connection, Target& target) {
  const Exchange exchange = connection.learn(target);
  run_.tally.run.add(exchange.failure, exchange.status);
  if (exchange.failure != Failure::none) {
    const auto& said = run_.tally.said[static_cast<std::size_t>(exchange.failure)];
    throw Fatal("--check: GET " + target.path + " before the load: " + said.data());
  }
  if (exchange.status / 100 != 2) {
    throw Fatal("--check: GET " + target.path + " before the load: status " +
                std::to_string(exchange.status) + ", expected one from 200 to 299");
  }
}

void Worker::add_clients(Client::Kind kind, int of) {
  const auto& addresses = run_.options.addresses;
  const bool counted = kind != Client::Kind::idle && kind != Client::Kind::slow;
  for (int i = share_.first(of); i < share_.last(of); ++i) {
    const auto number = static_cast<std::size_t>(i);
    slots_.emplace_back(*this, kind, addresses[number % addresses.size()],
                        counted ? &counts_[number] : nullptr, static_cast<double>(i) / of);
  }
}

void Worker::start(Slot& slot) {
  slot.thread = st_thread_create(live, &slot, 0, 0);
  if (slot.thread == nullptr) {
    throw Fatal(with_errno("a state thread for a client", errno) +
                "; there is memory for fewer clients here (vm.max_map_count, ulimit -v)");
  }
  ++alive_;
  measured_alive_ += slot.client.measured();
}

void* Worker::live(void* argument) {
  Slot& slot = *static_cast<Slot*>(argument);
  Worker& worker = slot.worker;
  slot.client.prepare();
  ++worker.prepared_;
  st_cond_signal(worker.changed_);
  while (!worker.begun_) st_cond_wait(worker.begin_);
  slot.client.load();
  slot.thread = nullptr;
  --worker.alive_;
  worker.measured_alive_ -= slot.client.measured();
  st_cond_signal(worker.changed_);
  return nullptr;
}

void* Worker::hear(void* argument) {
  Worker& worker = *static_cast<Worker*>(argument);
  for (;;) {
    st_bell_wait(bell, ST_UTIME_NO_TIMEOUT);
    st_cond_signal(worker.changed_);
  }
}

void* Worker::spin(void* argument) {
  const Worker& worker = *static_cast<Worker*>(argument);
  while (worker.alive_ > 0) st_usleep(0);
  return nullptr;
}

void Worker::wait(const std::function<Time()>& until, const std::function<bool()>& done) {
  while (!done()) {
    const Duration left = until() - Clock::now();
    if (left.count() <= 0) return;
    const auto us = std::chrono::ceil<std::chrono::microseconds>(left).count();
    st_cond_timedwait(changed_, static_cast<st_utime_t>(us));
  }
}

void Worker::run() {
  const Control& control = run_.control;
  if (st_thread_create(hear, this, 0, 0) == nullptr) {
    throw Fatal(with_errno("a state thread for signals", errno));
  }
  if (run_.options.spin && st_thread_create(spin, this, 0, 0) == nullptr) {
    throw Fatal(with_errno("a state thread that spins", errno));
  }
  if (run_.options.rate) {
    run_.arrivals = std::make_unique<Arrivals>(
        run_.options.arrivals, *run_.options.rate / share_.processes,
        static_cast<double>(share_.index) / share_.processes, control.begin, run_.random);
  }
  begun_ = true;
  st_cond_broadcast(begin_);

  const auto stopped = [&] { return control.stops > 0; };
  wait([&] { return control.window_begin; }, stopped);
  const CpuTime before = cpu_time();
  const Time from = Clock::now();
  wait([this] { return run_.end(); }, stopped);
  const CpuTime after = cpu_time();
  CpuTime& used = run_.tally.window_cpu;
  used = {after.user - before.user, after.system - before.system};
  run_.tally.busiest_share =
      seconds(used.user + used.system) / std::max(seconds(Clock::now() - from), 1e-9);
  finish();
}

void Worker::finish() {
  // Whoever sleeps need not sleep on. Those beside whom we measure stay as they are until the last
  // answer has been measured: a thousand idle connections that close at once are work for the
  // server, and would be in its latency.
  interrupt([](const Client& client) { return client.measured() && client.asleep(); });
  wait_for_answers([this] { return measured_alive_ == 0; });
  // And slow ones would take too long.
  interrupt(
      [](const Client& client) { return client.asleep() || client.kind() == Client::Kind::slow; });
  const auto all_ended = [this] { return alive_ == 0; };
  wait_for_answers(all_ended);
  run_.given_up = true;
  interrupt([](const Client&) { return true; });
  wait([] { return Time::max(); }, all_ended);
  run_.tally.clock_was_set = run_.stamps && run_.stamps->clock_was_set();
}

void Worker::wait_for_answers(const std::function<bool()>& all_given) {
  // What was due is still asked for, so that the slowest are not missing from the latencies.
  const Time last = run_.end() + run_.options.timeout;
  const std::atomic<int>& stops = run_.control.stops;
  if (stops == 0) wait([&] { return last; }, [&] { return all_given() || stops > 0; });
  if (stops == 0) return;
  run_.given_up = true;
  const Time soon = Clock::now() + kPatience;
  if (stops == 1) wait([&] { return soon; }, [&] { return all_given() || stops > 1; });
}

void Worker::interrupt(const std::function<bool(const Client&)>& which) {
  for (Slot& slot : slots_) {
    if (slot.thread != nullptr && which(slot.client)) st_thread_interrupt(slot.thread);
  }
}

}  // namespace stload
