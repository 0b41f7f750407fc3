// The conditions under which a cell's numbers may be believed, and what each one catches.
//
// Throughput rests on the server's counters, latency on the generator's watch, and each has its own
// witness (completions_agree, littles_law). A gate that invalidates takes the cell out of every
// average: the two sides disagree about what happened, or somebody disturbed them. A gate that
// labels leaves the numbers in but says what they are numbers of.
#pragma once

#include <vector>

#include "harness/observation.h"
#include "harness/result.h"

namespace archbench {

// In this order:
//
//   littles_law           labels       rate x mean latency = clients; less: some of their time is
//                                      in no latency, and those reported are too short. More cannot
//                                      be and invalidates: time was counted twice.
//   completions_agree     invalidates  both sides counted the same answers
//   bytes_agree           invalidates  and each answer had its full length
//   no_connect_errors     invalidates  wrk goes on with fewer clients after one
//   every_client_served   labels       else starvation is what this cell shows
//   body_right            invalidates  after the timed part as before it
//   server_was_the_limit  labels       else the throughput is not the server's capacity
//   machine_quiet         invalidates  nobody else took the CPUs
std::vector<Gate> judge(const Observation& seen, const Measurements& measured);

}  // namespace archbench
