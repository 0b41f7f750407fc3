#include "baselines/common/http_date.h"

#include <time.h>

#include <algorithm>
#include <array>

// strftime and strptime use the names of the "C" locale: no program of ours calls setlocale().

namespace baselines {
namespace {

constexpr const char* kFixdate = "%a, %d %b %Y %H:%M:%S GMT";

// The field as rendered last, and the part of the monotonic clock for which it is right.
struct DateField {
  Clock::time_point from;
  Clock::time_point until;
  std::size_t size;
  std::array<char, 64> text;
};

thread_local constinit DateField last_field{};

void render(DateField& field, Clock::time_point now) {
  timespec wall{};
  clock_gettime(CLOCK_REALTIME_COARSE, &wall);
  tm parts{};
  gmtime_r(&wall.tv_sec, &parts);
  field.size =
      strftime(field.text.data(), field.text.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
  field.from = now;
  field.until = now + std::chrono::seconds(1) - std::chrono::nanoseconds(wall.tv_nsec);
}

}  // namespace

std::string http_date(std::time_t seconds) {
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  return std::string(text.data(), strftime(text.data(), text.size(), kFixdate, &parts));
}

std::optional<std::time_t> parse_http_date(std::string_view text) {
  std::array<char, 64> copy{};
  if (text.size() >= copy.size()) return std::nullopt;
  std::copy(text.begin(), text.end(), copy.begin());
  // IMF-fixdate, and the obsolete forms of RFC 850 and asctime().
  for (const char* format : {kFixdate, "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    tm parts{};
    const char* const end = strptime(copy.data(), format, &parts);
    if (end == copy.data() + text.size()) return timegm(&parts);
  }
  return std::nullopt;
}

std::string_view date_field(Clock::time_point now) {
  DateField& field = last_field;
  if (now < field.from || now >= field.until) render(field, now);
  return {field.text.data(), field.size};
}

}  // namespace baselines
