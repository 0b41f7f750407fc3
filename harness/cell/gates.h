// The conditions under which a cell's numbers may be believed, and what each one catches.
//
// Throughput rests on the server's counters, latency on the generator's watch, and each has its own
// witness (completions_agree, littles_law). A gate that invalidates takes the cell out of every
// average: the two sides disagree about what happened, or somebody disturbed them. A gate that
// labels leaves the numbers in but says what they are numbers of.
#pragma once

#include <vector>

#include "harness/cell/observation.h"
#include "harness/cell/result.h"

namespace archbench {

// In this order:
//
//   littles_law            labels       rate x mean latency = clients; less: some of their time is
//                                       in no latency, and those reported are too short. More
//                                       cannot be and invalidates: time was counted twice.
//   completions_agree      invalidates  both sides counted the same answers
//   bytes_agree            invalidates  and each answer had its full length
//   no_connect_errors      invalidates  and no client is missing: a generator goes on with fewer
//   every_client_served    labels       else starvation is what this cell shows
//   body_right             invalidates  after the timed part as before it
//   server_was_the_limit   labels       else the throughput is not the server's capacity
//   machine_quiet          invalidates  nobody else took the CPUs
//   run_complete           invalidates  the window had its length, and the load outlasted it
//   right_binary           invalidates  the program is the one that the campaign began with
//   generator_even         invalidates  every thread of the generator made load
//   below_ceiling          labels       else the generator was, or may have been, the limit
//   steady_state           labels       else the average is of different states
//   no_dropped_connections labels       else some clients came a second or more later
//   clock_steady           invalidates  nobody set the wall clock meanwhile
//   not_throttled          invalidates  no limit of a control group, no heat
std::vector<Gate> judge(const Observation& seen, const Measurements& measured,
                        const Steadiness& steadiness);

// The parts of it, by whom they mistrust: what both sides say, and under which conditions.
std::vector<Gate> judge_accounts(const Observation& seen, const Measurements& measured);
std::vector<Gate> judge_conditions(const Observation& seen, const Measurements& measured,
                                   const Steadiness& steadiness);

// For those who judge.
Verdict passes(bool good);
Gate unknown_gate(std::string name, Effect effect, std::string why);
std::string decimal(double value, int digits);
std::string percent(double share);

}  // namespace archbench
