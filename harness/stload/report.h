// What a run has shown: as JSON for programs, as text for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "harness/stload/crew.h"

namespace stload {

// The form is results/schema/stload.schema.json.
nlohmann::json report_json(const Options& options, const Outcome& outcome);

// A screen of text.
std::string summary(const Options& options, const Outcome& outcome);

// A doubt about the numbers that the reader should know of.
struct Warning {
  const char* code;
  std::string text;
};
std::vector<Warning> warnings(const Options& options, const Outcome& outcome);

// How evenly the answers were spread over the clients.
struct Fairness {
  std::uint64_t served = 0;  // clients with at least one answer
  std::uint32_t least = 0, most = 0;
  double jain_index = 0;      // (sum x)^2 / (n sum x^2); 0 without answers
  std::uint64_t on_pace = 0;  // paced: see kOnPaceShare
};
Fairness fairness(const Outcome& outcome);

// A paced client is on pace when it got so much of what was due for it inside the window. SPECweb99
// asks for 320 of 400 kbit/s.
inline constexpr double kOnPaceShare = 0.8;

// "closed loop", "open loop, poisson arrivals at 5,000 /s" ...
std::string load_title(const Options& options);

}  // namespace stload
