// Dates as HTTP writes them.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "baselines/common/clock.h"

namespace baselines {

// "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate).
std::string http_date(std::time_t seconds);

// Reads the three forms of RFC 9110, 5.6.7; nothing when `text` is none of them.
std::optional<std::time_t> parse_http_date(std::string_view text);

// "Date: ...\r\n" for this moment; rendered by each thread at most once for each second of `now`.
// Valid until the thread's next call.
std::string_view date_field(Clock::time_point now);

}  // namespace baselines
