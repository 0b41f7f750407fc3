#include "baselines/common/answer.h"
#include "baselines/common/http.h"

// What every answer begins with. The statuses a server may give are few, so their lines are
// rendered by the compiler.
#define BASELINES_STATUS(code, reason) \
  { code, "HTTP/1.1 " #code " " reason "\r\nServer: statethreads\r\n", #code " " reason "\n" }

namespace baselines {
namespace {

struct Status {
  int code;
  std::string_view line;
  std::string_view text;  // the body of an answer that has nothing else to say
};

constexpr Status kStatuses[] = {
    BASELINES_STATUS(200, "OK"),
    BASELINES_STATUS(304, "Not Modified"),
    BASELINES_STATUS(400, "Bad Request"),
    BASELINES_STATUS(404, "Not Found"),
    BASELINES_STATUS(405, "Method Not Allowed"),
    BASELINES_STATUS(408, "Request Timeout"),
    BASELINES_STATUS(413, "Content Too Large"),
    BASELINES_STATUS(414, "URI Too Long"),
    BASELINES_STATUS(431, "Request Header Fields Too Large"),
    BASELINES_STATUS(500, "Internal Server Error"),
    BASELINES_STATUS(501, "Not Implemented"),
    BASELINES_STATUS(502, "Bad Gateway"),
    BASELINES_STATUS(503, "Service Unavailable"),
    BASELINES_STATUS(504, "Gateway Timeout"),
    BASELINES_STATUS(505, "HTTP Version Not Supported"),
};

#undef BASELINES_STATUS

const Status& find_status(int code) {
  for (const Status& status : kStatuses) {
    if (status.code == code) return status;
  }
  return find_status(500);  // an endpoint invented a status: our error, not the client's
}

}  // namespace

std::string_view status_line(int status) { return find_status(status).line; }

Answer status_answer(int status) {
  Answer answer;
  answer.status = status;
  answer.content_type = "text/plain";
  answer.body = find_status(status).text;
  if (status == 405) answer.fields = "Allow: GET, HEAD\r\n";
  return answer;
}

Answer text_answer(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  Answer answer;
  answer.content_type = "text/plain";
  answer.body = *owner;
  answer.owner = std::move(owner);
  return answer;
}

std::string_view refusal() {
  // RFC 9110, 6.6.1 lets a 5xx go without Date, so these bytes never change.
  static constexpr std::string_view kRefusal =
      "HTTP/1.1 503 Service Unavailable\r\nServer: statethreads\r\nContent-Type: text/plain\r\n"
      "Content-Length: 24\r\nRetry-After: 1\r\nConnection: close\r\n\r\n503 Service Unavailable\n";
  return kRefusal;
}

}  // namespace baselines
