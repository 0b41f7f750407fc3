// The doubts that numbers of a run can deserve.
#include "harness/stload/report.h"
#include "harness/stload/text.h"

namespace stload {
namespace {

// Above this share of a CPU, waiting for the generator itself becomes visible in latencies.
constexpr double kBusy = 0.85;

// A generator that sends later than that, in one of a hundred cases, adds it to every latency.
constexpr Duration kLate = std::chrono::milliseconds(1);

// Requests that found no free client, in relation to all.
constexpr double kQueuedShare = 0.01;

std::string percent(double share) { return decimal(100 * share, share < 0.1 ? 1 : 0) + " %"; }

}  // namespace

std::vector<Warning> warnings(const Options& options, const Outcome& outcome) {
  const Tally& tally = outcome.tally;
  const std::uint64_t failed = tally.window.failed();
  const std::uint64_t requests = tally.window.answers + failed;
  std::vector<Warning> result;
  const auto warn = [&](const char* code, const std::string& text) {
    result.push_back({code, text});
  };

  if (tally.window.answers == 0) {
    warn("no_answers", "not one request of the window was answered");
  }
  if (failed > 0) {
    warn("unanswered", grouped(failed) + " of " + grouped(requests) +
                           " requests have no right answer; percentiles count them as slower than "
                           "every answer");
  }
  const auto count = [&](int from, int to) {
    std::uint64_t sum = 0;
    for (int status = from; status < to; ++status) sum += tally.window.statuses[status];
    return sum;
  };
  if (const std::uint64_t refused = count(400, 1000); refused > 0) {
    warn("bad_status", grouped(refused) + " answers have a status of 400 or more");
  }
  if (options.rate &&
      static_cast<double>(tally.queued) > kQueuedShare * static_cast<double>(requests)) {
    warn("queued",
         grouped(tally.queued) + " requests were due while all clients were busy, and " +
             "waited: the server is slower than the rate, or there are too few --clients");
  }
  if (tally.busiest_share > kBusy && !options.spin) {
    warn("generator_busy", "the generator used " + percent(tally.busiest_share) +
                               " of a CPU: it may be the limit; use more --processes");
  }
  if (tally.wakeup_lag.count() >= 1000) {
    const Duration late = tally.wakeup_lag.at_rank(tally.wakeup_lag.count() * 99 / 100);
    if (late > kLate) {
      warn("generator_late", "1 % of the requests were sent " + brief(late) +
                                 " or more after they were due though a client was free: the "
                                 "machine is too busy, and latencies contain that");
    }
  }
  if (const std::uint64_t without = tally.window.answers - tally.read_lag.count();
      options.latency_until == Until::arrived && without > 0) {
    warn("unstamped", grouped(without) +
                          " answers have no possible time stamp of their arrival: "
                          "their latency runs until they were read");
  }
  if (tally.clock_was_set) {
    warn("clock_set",
         "the clock of the day was set meanwhile, and the kernel's time stamps with it: latencies "
         "may be wrong by as much; run it again");
  }
  const Fairness fair = fairness(outcome);
  if (tally.window.answers > 0 && fair.served < outcome.clients.size() &&
      requests >= 10 * outcome.clients.size()) {
    warn("never_served", grouped(outcome.clients.size() - fair.served) + " of " +
                             grouped(outcome.clients.size()) + " clients got no answer at all");
  }
  if (outcome.window < options.duration) {
    warn("ended_early", "ended after " + decimal(seconds(outcome.window), 3) + " s of " +
                            decimal(seconds(options.duration), 3));
  }
  return result;
}

}  // namespace stload
