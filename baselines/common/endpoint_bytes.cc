#include <charconv>

#include "baselines/common/endpoints.h"

namespace baselines {

Answer bytes(const Call& call) {
  std::size_t size = 0;
  const char* const end = call.rest.data() + call.rest.size();
  const auto [stop, problem] = std::from_chars(call.rest.data(), end, size);
  if (problem != std::errc() || stop != end || size > kMaxPatternBytes) return status_answer(404);
  Answer answer;
  answer.content_type = "application/octet-stream";
  answer.body = call.site.pattern().substr(0, size);  // the site outlives the connection: no owner
  return answer;
}

}  // namespace baselines
