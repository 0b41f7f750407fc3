#include "baselines/common/endpoints.h"

namespace baselines {

Answer bytes(const Call& call) {
  std::uint64_t size = 0;
  if (!is_number(call.rest, kMaxPatternBytes, size)) return status_answer(404);
  Answer answer;
  answer.content_type = "application/octet-stream";
  answer.body = call.site.pattern().substr(0, size);  // the site outlives the connection: no owner
  return answer;
}

}  // namespace baselines
