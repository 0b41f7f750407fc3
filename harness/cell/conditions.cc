// Gates about the conditions: who was the limit, and who disturbed.
#include <algorithm>
#include <cmath>

#include "harness/cell/gates.h"

namespace archbench {
namespace {

// Limits, as fixed before the first campaign.
constexpr double kServerBusy = 0.95;       // of its CPUs: the rest is waiting for the generator
constexpr double kGeneratorBusy = 0.85;    // of a thread's CPU: above, queues grow on its side
constexpr double kForeignAndSteal = 0.05;  // of the machine: as large as the effects looked for
constexpr double kNearCeiling = 0.70;      // of what the generator got from the null responder

Gate server_was_the_limit(const Observation& seen, const Measurements& measured) {
  const char* name = "server_was_the_limit";
  const double server = measured.server_cpu_share.value_or(0);
  // The mean over its threads hides one that is at its end while others wait.
  const double generator = std::max(measured.generator_cpu_share.value_or(0),
                                    measured.generator_busiest_thread_share.value_or(0));
  const std::string text = "the server used " + percent(server) +
                           " of its CPUs, the generator's busiest thread " + percent(generator) +
                           " of one";
  if (seen.generator_shares_cpus) {
    return unknown_gate(name, Effect::labels, text + "; they shared CPUs, so neither share tells");
  }
  return {name,           passes(server >= kServerBusy && generator < kGeneratorBusy),
          Effect::labels, server,
          kServerBusy,    text};
}

Gate machine_quiet(const Measurements& measured) {
  if (!measured.steal_share || !measured.foreign_cpu_share) {
    return unknown_gate("machine_quiet", Effect::invalidates,
                        "/proc/stat did not move in the window");
  }
  const double sum = *measured.steal_share + *measured.foreign_cpu_share;
  return {"machine_quiet",
          passes(sum <= kForeignAndSteal),
          Effect::invalidates,
          sum,
          kForeignAndSteal,
          "the hypervisor took " + percent(*measured.steal_share) +
              " of the machine, other programs " + percent(*measured.foreign_cpu_share)};
}

Gate run_complete(const Observation& seen, const Measurements& measured) {
  // The window's own clock may overshoot by a delayed wake-up, never fall short.
  constexpr double kShort = 0.99;
  const double window = measured.duration_s.value_or(0);
  const double load = seen.report.duration_s;
  const bool whole = window >= kShort * seen.planned_seconds;
  const bool outlasted = load >= kShort * seen.planned_seconds;
  return {"run_complete",
          passes(whole && outlasted),
          Effect::invalidates,
          std::min(window, load),
          seen.planned_seconds,
          "the window took " + decimal(window, 2) + " s of planned " +
              decimal(seen.planned_seconds, 2) + " s, the generator ran " + decimal(load, 2) +
              " s"};
}

Gate right_binary(const Observation& seen) {
  const char* name = "right_binary";
  if (seen.expected_sha256.empty() || seen.program_sha256.empty()) {
    return unknown_gate(name, Effect::invalidates, "the program's SHA-256 is not known");
  }
  const bool same = seen.expected_sha256 == seen.program_sha256;
  return {name,
          passes(same),
          Effect::invalidates,
          std::nullopt,
          std::nullopt,
          same ? "the program is the one that the campaign began with"
               : "the program is another one (SHA-256 " + seen.program_sha256.substr(0, 12) +
                     "...) than when the campaign began (" + seen.expected_sha256.substr(0, 12) +
                     "...)"};
}

Gate generator_even(const Observation& seen, const Measurements& measured) {
  const char* name = "generator_even";
  constexpr double kDead = 0.1;  // of the busiest thread's time: clients divide evenly
  constexpr double kTooLittle =
      0.005;  // of a CPU: a thread with next to nothing to do proves nothing
  if (seen.generator_threads < 2 || seen.generator_workers_s.size() < 2) {
    Gate gate = unknown_gate(name, Effect::invalidates, "the generator has one thread");
    if (seen.generator_threads < 2) gate.verdict = Verdict::pass;
    return gate;
  }
  const double busiest = measured.generator_busiest_thread_share.value_or(0);
  const double idlest = measured.generator_idlest_thread_share.value_or(0);
  const double share = busiest > 0 ? idlest / busiest : 1;
  return {
      name,
      passes(share >= kDead || busiest < kTooLittle),
      Effect::invalidates,
      share,
      kDead,
      "its idlest thread used " + percent(idlest) + " of a CPU, its busiest " + percent(busiest)};
}

// Several generators divide one load evenly. One that is at its end sends less than its part and
// measures its own queue, and both are then inside the merged numbers.
std::vector<Gate> generators_keep_up(const Observation& seen, const Measurements& measured) {
  if (!seen.generator_elsewhere) return {};
  const double busiest = measured.generator_busiest_thread_share.value_or(1);
  return {{"generators_keep_up", passes(busiest < kGeneratorBusy), Effect::invalidates, busiest,
           kGeneratorBusy,
           "the busiest thread of all generators' hosts used " + percent(busiest) + " of a CPU"}};
}

Gate below_ceiling(const Observation& seen, const Measurements& measured) {
  const char* name = "below_ceiling";
  if (seen.cell.is_ceiling()) return unknown_gate(name, Effect::labels, "this is the ceiling");
  if (!measured.ceiling_share) {
    return unknown_gate(name, Effect::labels,
                        "no null responder was measured under this load (\"ceiling\" in the plan)");
  }
  return {name,
          passes(*measured.ceiling_share <= kNearCeiling),
          Effect::labels,
          *measured.ceiling_share,
          kNearCeiling,
          percent(*measured.ceiling_share) + " of the " + decimal(*measured.ceiling_rps, 0) +
              " requests/s that the generator got from the null responder"};
}

Gate steady_state(const Observation& seen, const Steadiness& steadiness) {
  const char* name = "steady_state";
  if (!seen.server_counts) {
    return unknown_gate(name, Effect::labels, "this server does not count");
  }
  if (!steadiness.judged) return unknown_gate(name, Effect::labels, steadiness.text);
  return {name,           passes(steadiness.steady), Effect::labels, std::nullopt, std::nullopt,
          steadiness.text};
}

Gate no_dropped_connections(const Measurements& measured) {
  const char* name = "no_dropped_connections";
  if (!measured.listen_overflows || !measured.listen_drops) {
    return unknown_gate(name, Effect::labels, "the kernel does not count them");
  }
  // Every overflow is a drop, too.
  const auto dropped =
      static_cast<double>(std::max(*measured.listen_overflows, *measured.listen_drops));
  return {name,
          passes(dropped == 0),
          Effect::labels,
          dropped,
          0.0,
          dropped == 0 ? "no connection was dropped on its way in"
                       : decimal(dropped, 0) +
                             " times a connection was dropped at a full queue, to be tried "
                             "again a second later; raise somaxconn and the backlog"};
}

Gate clock_steady(const Measurements& measured) {
  // Ordinary steering moves the wall clock by up to 500 us in a second.
  constexpr double kStep = 0.02;
  constexpr double kSteering = 0.0005;
  const double step = measured.clock_step_s.value_or(0);
  const double limit = kStep + kSteering * measured.duration_s.value_or(0);
  return {"clock_steady",
          passes(std::abs(step) <= limit),
          Effect::invalidates,
          std::abs(step),
          limit,
          "the wall clock moved by " + decimal(step, 3) + " s against the monotonic one"};
}

Gate not_throttled(const Observation& seen, const Measurements& measured) {
  const char* name = "not_throttled";
  constexpr double kShare = 0.01;  // of the window
  const auto& before = seen.kernel_before.hot_events;
  const auto& after = seen.generator_stop.kernel.hot_events;
  if (before && after && *after > *before) {
    return {name,
            Verdict::fail,
            Effect::invalidates,
            static_cast<double>(*after - *before),
            0.0,
            "the processor slowed down because of its heat"};
  }
  if (!measured.throttled_s) {
    return unknown_gate(name, Effect::invalidates, "no control group with CPU accounts here");
  }
  const double share = *measured.throttled_s / std::max(measured.duration_s.value_or(0), 1e-9);
  return {name,
          passes(share <= kShare),
          Effect::invalidates,
          share,
          kShare,
          "a limit of the control group kept " + decimal(*measured.throttled_s, 3) +
              " s of CPU time from us"};
}

}  // namespace

std::vector<Gate> judge_conditions(const Observation& seen, const Measurements& measured,
                                   const Steadiness& steadiness) {
  std::vector<Gate> gates{server_was_the_limit(seen, measured),
                          machine_quiet(measured),
                          run_complete(seen, measured),
                          right_binary(seen),
                          generator_even(seen, measured),
                          below_ceiling(seen, measured),
                          steady_state(seen, steadiness),
                          no_dropped_connections(measured),
                          clock_steady(measured),
                          not_throttled(seen, measured)};
  for (Gate& gate : generators_keep_up(seen, measured)) gates.push_back(std::move(gate));
  return gates;
}

}  // namespace archbench
