#include "harness/cell/gates.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace archbench {
namespace {

constexpr double kLittlesLaw = 0.05;  // relative; as fixed before the first campaign

Gate littles_law(const Observation& seen, const Measurements& measured) {
  const char* name = "littles_law";
  if (!seen.cell.workload.keepalive) {
    return unknown_gate(
        name, Effect::labels,
        "every request had its own connection, and connecting is not in the latency");
  }
  if (seen.cell.workload.rate > 0) {
    return unknown_gate(name, Effect::labels,
                        "an open load has as many clients at once as it needs");
  }
  if (!measured.latency_us_mean || !measured.generator_throughput_rps) {
    const auto why = seen.report.absent.find("latency_us_mean");
    return unknown_gate(name, Effect::labels,
                        why == seen.report.absent.end() ? "no answer has a latency" : why->second);
  }
  const double mean_s = 1e-6 * *measured.latency_us_mean;
  const double rate = seen.report.latency_rps.value_or(*measured.generator_throughput_rps);
  const double clients = rate * mean_s;
  // The end of the run cuts off one answer of each client, whose time is in no latency: up to one
  // mean latency of the run's length is missing by right.
  const double limit = kLittlesLaw + mean_s / seen.report.duration_s;
  const double off = clients / seen.cell.clients - 1;
  std::string text = "rate x mean latency is " + decimal(clients, 2) + " for " +
                     std::to_string(seen.cell.clients) + " clients";
  if (off < -limit) {
    // wrk stops its watch when it has read an answer and starts it at the next write. The pause in
    // between is long when the generator is busy or has to wait for a CPU. And a client that waits
    // for ever leaves no latency at all.
    text +=
        "; the rest of their time is in no latency: it passed inside the generator, or waiting "
        "for answers that had not come at the end";
  }
  return {name,
          passes(std::abs(off) <= limit),
          off > 0 ? Effect::invalidates : Effect::labels,
          std::abs(off),
          limit,
          text};
}

// One for each connection: of a client, or of one that is slow or idle beside them.
double most_in_flight(const Observation& seen) {
  const auto clients = static_cast<std::uint64_t>(seen.cell.clients);
  return static_cast<double>(std::max(clients, seen.established.value_or(0)));
}

Gate completions_agree(const Observation& seen) {
  if (!seen.server_counts) {
    return unknown_gate("completions_agree", Effect::invalidates, "this server does not count");
  }
  const auto server = seen.final_counters.requests - seen.baseline.requests;
  const double off =
      std::abs(static_cast<double>(server) - static_cast<double>(seen.report.requests));
  const double limit = most_in_flight(seen);
  return {"completions_agree",
          passes(off <= limit),
          Effect::invalidates,
          off,
          limit,
          "the server counted " + std::to_string(server) + " answers, the generator " +
              std::to_string(seen.report.requests)};
}

// One path: every answer has the length of the probe's. A mix: the server's count of bytes is the
// only other witness, and what is in flight is at most the largest answers it sent.
Gate bytes_agree(const Observation& seen) {
  const char* name = "bytes_agree";
  const GeneratorReport& report = seen.report;
  if (!report.bytes) return unknown_gate(name, Effect::invalidates, "the generator counts none");
  if (report.errors_status > 0) {
    return unknown_gate(name, Effect::invalidates,
                        std::to_string(report.errors_status) +
                            " answers had an error status, and those have another length");
  }
  const bool mix = !seen.cell.workload.mix.empty();
  if (mix && !seen.server_counts) {
    return unknown_gate(name, Effect::invalidates, "a mix, and this server does not count");
  }
  const auto each = static_cast<double>(seen.body_before.answer_bytes());
  const double expected = mix ? static_cast<double>(seen.final_counters.bytes - seen.baseline.bytes)
                              : each * static_cast<double>(report.requests);
  const double off = std::abs(static_cast<double>(*report.bytes) - expected);
  // One unfinished answer for each connection; of a mix up to what socket buffers hold.
  constexpr double kInSocketBuffers = 1 << 20;
  const double limit = (mix ? kInSocketBuffers : each) * most_in_flight(seen);
  return {name,
          passes(off <= limit),
          Effect::invalidates,
          off,
          limit,
          "the generator read " + std::to_string(*report.bytes) + " bytes in " +
              std::to_string(report.requests) +
              (mix ? " answers, the server sent " + decimal(expected, 0)
                   : " answers of " + decimal(each, 0))};
}

// What the generator admits, and what the kernel knows: a client that silently gave up has no
// connection. (One that waits in the accept queue has one, and is every_client_served's concern.)
Gate no_connect_errors(const Observation& seen, const Measurements& measured) {
  const auto errors = static_cast<double>(seen.report.errors_connect);
  const auto clients = static_cast<std::uint64_t>(seen.cell.clients);
  std::string text = errors == 0 ? "every client could connect"
                                 : decimal(errors, 0) + " connections failed and were given up";
  double missing = 0;
  const auto& established = measured.connections_established;
  if (seen.cell.workload.keepalive && established && *established < clients) {
    missing = static_cast<double>(clients - *established);
    text = decimal(missing, 0) + " of " + std::to_string(clients) +
           " clients had no connection at the end of the window";
  }
  return {"no_connect_errors",
          passes(errors + missing == 0),
          Effect::invalidates,
          errors + missing,
          0.0,
          text};
}

Gate every_client_served(const Observation& seen, const Measurements& measured) {
  const char* name = "every_client_served";
  if (!seen.cell.workload.keepalive) {
    return unknown_gate(name, Effect::labels,
                        "every request had its own connection, so clients cannot be told apart");
  }
  if (!measured.served_connections) {
    return unknown_gate(name, Effect::labels, "neither side counts by client");
  }
  const auto served = static_cast<double>(*measured.served_connections);
  return {name,
          passes(served >= seen.cell.clients),
          Effect::labels,
          served,
          static_cast<double>(seen.cell.clients),
          decimal(served, 0) + " connections of " + std::to_string(seen.cell.clients) +
              " clients got at least one answer"};
}

Gate body_right(const Observation& seen) {
  std::string wrong = seen.body_after_failure;
  if (wrong.empty()) wrong = body_complaint(seen.body_after, seen.cell.workload.path);
  if (wrong.empty() && seen.body_after.content != seen.body_before.content) {
    wrong = "the body was not the one from before the load";
  }
  return {"body_right",        passes(wrong.empty()),
          Effect::invalidates, std::nullopt,
          std::nullopt,        wrong.empty() ? "the same right body before and after" : wrong};
}

}  // namespace

Verdict passes(bool good) { return good ? Verdict::pass : Verdict::fail; }

Gate unknown_gate(std::string name, Effect effect, std::string why) {
  Gate gate;
  gate.name = std::move(name);
  gate.effect = effect;
  gate.text = std::move(why);
  return gate;
}

std::string decimal(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string percent(double share) { return decimal(100 * share, 1) + " %"; }

std::vector<Gate> judge_accounts(const Observation& seen, const Measurements& measured) {
  return {littles_law(seen, measured),
          completions_agree(seen),
          bytes_agree(seen),
          no_connect_errors(seen, measured),
          every_client_served(seen, measured),
          body_right(seen)};
}

std::vector<Gate> judge(const Observation& seen, const Measurements& measured,
                        const Steadiness& steadiness) {
  std::vector<Gate> gates = judge_accounts(seen, measured);
  for (Gate& gate : judge_conditions(seen, measured, steadiness)) gates.push_back(std::move(gate));
  return gates;
}

}  // namespace archbench
