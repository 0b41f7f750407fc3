// The machine that a campaign is made on, as campaign.json records it. What cannot be read is
// absent.
#pragma once

#include <nlohmann/json.hpp>

namespace archbench {

// `environment` of campaign.schema.json.
nlohmann::ordered_json read_environment();

}  // namespace archbench
