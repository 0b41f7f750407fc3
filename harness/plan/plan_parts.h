// The two parts of a plan that have much to say: its servers and its workloads.
#pragma once

#include <string>
#include <vector>

#include "harness/plan/cell.h"
#include "harness/plan/field.h"

namespace archbench {

// One item of `servers`: the server, and behind it its twin when it has one. Throws Error.
std::vector<ServerSpec> read_server(const Field& field);

// One item of `workloads`: one workload, or one for each of its rates. Throws Error.
std::vector<Workload> read_workload(const Field& field, const std::string& generator);

// A generator's name, one of those that generators.h makes.
std::string read_generator(const Field& field);

// A list of counts, each positive and there once.
std::vector<int> read_counts(const Field& field);

}  // namespace archbench
