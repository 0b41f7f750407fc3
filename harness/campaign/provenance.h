// What a campaign is made with: the build of archbench, the generators and the servers, each by its
// SHA-256. What cannot be read is absent.
#pragma once

#include <nlohmann/json.hpp>

#include "harness/os/places.h"
#include "harness/plan/plan.h"

namespace archbench {

// `provenance` of campaign.schema.json.
nlohmann::ordered_json read_provenance(const Places& places, const Plan& plan);

}  // namespace archbench
