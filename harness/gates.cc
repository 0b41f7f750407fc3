#include "harness/gates.h"

#include <cmath>
#include <cstdio>

namespace archbench {
namespace {

// Limits, as fixed before the first campaign.
constexpr double kLittlesLaw = 0.05;       // relative
constexpr double kServerBusy = 0.95;       // of its CPUs: the rest is waiting for the generator
constexpr double kGeneratorBusy = 0.85;    // of its threads: above, queues grow on its side
constexpr double kForeignAndSteal = 0.05;  // of the machine: as large as the effects looked for

std::string number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string percent(double share) { return number(100 * share, 1) + " %"; }

Verdict verdict(bool good) { return good ? Verdict::pass : Verdict::fail; }

Gate unknown(std::string name, Effect effect, std::string why) {
  Gate gate;
  gate.name = std::move(name);
  gate.effect = effect;
  gate.text = std::move(why);
  return gate;
}

Gate littles_law(const Observation& seen, const Measurements& measured) {
  const char* name = "littles_law";
  if (!seen.cell.workload.keepalive) {
    return unknown(name, Effect::labels,
                   "every request had its own connection, and connecting is not in the latency");
  }
  if (!measured.latency_us_mean || !measured.generator_throughput_rps) {
    return unknown(name, Effect::labels, "no answer has a latency");
  }
  const double mean_s = 1e-6 * *measured.latency_us_mean;
  const double clients = *measured.generator_throughput_rps * mean_s;
  // The end of the run cuts off one answer of each client, whose time is in no latency: up to one
  // mean latency of the run's length is missing by right.
  const double limit = kLittlesLaw + mean_s / seen.report.duration_s;
  const double off = clients / seen.cell.clients - 1;
  std::string text = "rate x mean latency is " + number(clients, 2) + " for " +
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
          verdict(std::abs(off) <= limit),
          off > 0 ? Effect::invalidates : Effect::labels,
          std::abs(off),
          limit,
          text};
}

Gate completions_agree(const Observation& seen) {
  const auto server = seen.final_counters.requests - seen.baseline.requests;
  const double off =
      std::abs(static_cast<double>(server) - static_cast<double>(seen.report.requests));
  const auto limit = static_cast<double>(seen.cell.clients);  // one in flight for each
  return {"completions_agree",
          verdict(off <= limit),
          Effect::invalidates,
          off,
          limit,
          "the server counted " + std::to_string(server) + " answers, the generator " +
              std::to_string(seen.report.requests)};
}

Gate bytes_agree(const Observation& seen) {
  const GeneratorReport& report = seen.report;
  if (report.errors_status > 0) {
    return unknown("bytes_agree", Effect::invalidates,
                   std::to_string(report.errors_status) +
                       " answers had an error status, and those have another length");
  }
  const auto each = static_cast<double>(seen.body_before.answer_bytes());
  const double off =
      std::abs(static_cast<double>(report.bytes) - each * static_cast<double>(report.requests));
  const double limit = each * seen.cell.clients;  // one unfinished answer for each
  return {"bytes_agree",
          verdict(off <= limit),
          Effect::invalidates,
          off,
          limit,
          "the generator read " + std::to_string(report.bytes) + " bytes in " +
              std::to_string(report.requests) + " answers of " + number(each, 0)};
}

Gate no_connect_errors(const Observation& seen) {
  const auto errors = seen.report.errors_connect;
  return {"no_connect_errors",
          verdict(errors == 0),
          Effect::invalidates,
          static_cast<double>(errors),
          0.0,
          errors == 0 ? "every client could connect"
                      : std::to_string(errors) + " clients could not connect and were given up"};
}

Gate every_client_served(const Observation& seen, const Measurements& measured) {
  const char* name = "every_client_served";
  if (!seen.cell.workload.keepalive) {
    return unknown(name, Effect::labels,
                   "every request had its own connection, so clients cannot be told apart");
  }
  const auto served = static_cast<double>(measured.served_connections.value_or(0));
  return {name,
          verdict(served >= seen.cell.clients),
          Effect::labels,
          served,
          static_cast<double>(seen.cell.clients),
          number(served, 0) + " connections of " + std::to_string(seen.cell.clients) +
              " clients got at least one answer"};
}

Gate body_right(const Observation& seen) {
  std::string wrong = seen.body_after_failure;
  if (wrong.empty()) wrong = body_complaint(seen.body_after, seen.cell.workload.path);
  if (wrong.empty() && seen.body_after.content != seen.body_before.content) {
    wrong = "the body was not the one from before the load";
  }
  return {"body_right",        verdict(wrong.empty()),
          Effect::invalidates, std::nullopt,
          std::nullopt,        wrong.empty() ? "the same right body before and after" : wrong};
}

Gate server_was_the_limit(const Observation& seen, const Measurements& measured) {
  const char* name = "server_was_the_limit";
  const double server = measured.server_cpu_share.value_or(0);
  const double generator = measured.generator_cpu_share.value_or(0);
  const std::string text = "the server used " + percent(server) + " of its CPUs, the generator " +
                           percent(generator) + " of its threads' CPU time";
  if (seen.generator_shares_cpus) {
    return unknown(name, Effect::labels, text + "; they shared CPUs, so neither share tells");
  }
  return {name,           verdict(server >= kServerBusy && generator < kGeneratorBusy),
          Effect::labels, server,
          kServerBusy,    text};
}

Gate machine_quiet(const Measurements& measured) {
  if (!measured.steal_share || !measured.foreign_cpu_share) {
    return unknown("machine_quiet", Effect::invalidates, "/proc/stat did not move in the window");
  }
  const double sum = *measured.steal_share + *measured.foreign_cpu_share;
  return {"machine_quiet",
          verdict(sum <= kForeignAndSteal),
          Effect::invalidates,
          sum,
          kForeignAndSteal,
          "the hypervisor took " + percent(*measured.steal_share) +
              " of the machine, other programs " + percent(*measured.foreign_cpu_share)};
}

}  // namespace

std::vector<Gate> judge(const Observation& seen, const Measurements& measured) {
  return {littles_law(seen, measured),
          completions_agree(seen),
          bytes_agree(seen),
          no_connect_errors(seen),
          every_client_served(seen, measured),
          body_right(seen),
          server_was_the_limit(seen, measured),
          machine_quiet(measured)};
}

}  // namespace archbench
