#include "baselines/common/endpoints.h"

namespace baselines {

Answer plaintext(const Call&) {
  Answer answer;
  answer.content_type = "text/plain";
  answer.body = "Hello, World!";
  return answer;
}

}  // namespace baselines
