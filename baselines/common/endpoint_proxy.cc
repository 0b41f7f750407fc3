#include "baselines/common/endpoints.h"

namespace baselines {
namespace {

void add_field(std::string& request, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  request.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

JobOrAnswer proxy(const Call& call) {
  const Origin* const origin = call.site.origin();
  if (origin == nullptr) return status_answer(404);
  // The parser has let no control character into any of these.
  std::string request = call.head.head_only ? "HEAD /" : "GET /";
  request.append(call.rest);
  if (!call.head.query.empty()) request.append("?").append(call.head.query);
  request.append(" HTTP/1.1\r\n");
  add_field(request, "Host", origin->name());
  add_field(request, "Via", "1.1 statethreads");
  add_field(request, "If-None-Match", call.head.if_none_match);
  add_field(request, "If-Modified-Since", call.head.if_modified_since);
  request.append("\r\n");
  return std::make_unique<Job>(
      FetchJob{origin, std::move(request), UpstreamAnswer(call.head.head_only)});
}

}  // namespace baselines
