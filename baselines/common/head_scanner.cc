#include "baselines/common/head_scanner.h"

#include <algorithm>
#include <cstring>

#include "baselines/common/site.h"

namespace baselines {
namespace {

// What a request line has beside its target: method, two spaces, version and line end. Generous:
// the parser checks the target itself, this bound only ends the waiting.
constexpr std::size_t kRequestLineRest = 32;

// A head begins with a method, and every registered method begins with a letter. Whoever speaks
// TLS or another protocol to this port learns so at once instead of at the deadline.
bool may_begin_head(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

}  // namespace

HeadScanner::Result HeadScanner::scan(std::span<const char> bytes, const SiteOptions& limits) {
  const char* const p = bytes.data();
  if (bytes.empty()) return Result::incomplete;
  if (next_ == 0 && !may_begin_head(p[0]) && p[0] != '\r') return Result::malformed;
  for (;;) {
    const bool request_line = line_ == 0;
    const std::size_t limit =
        request_line ? std::min(limits.max_target_bytes + kRequestLineRest, limits.max_head_bytes)
                     : limits.max_head_bytes;
    const std::size_t end = std::min(bytes.size(), limit);
    const void* const found = std::memchr(p + next_, '\n', end - next_);
    if (found == nullptr) {
      next_ = static_cast<std::uint32_t>(end);
      if (end < limit) return Result::incomplete;
      return request_line ? Result::target_too_long : Result::too_large;
    }
    const auto lf = static_cast<std::uint32_t>(static_cast<const char*>(found) - p);
    if (lf == 0 || p[lf - 1] != '\r') return Result::malformed;
    const bool empty_line = lf - 1 == line_;
    line_ = next_ = lf + 1;
    if (empty_line) return request_line ? Result::blank : Result::complete;
  }
}

}  // namespace baselines
