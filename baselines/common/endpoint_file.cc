#include <array>
#include <climits>
#include <optional>

#include "baselines/common/endpoints.h"
#include "baselines/common/file_cache.h"
#include "baselines/common/http_date.h"

namespace baselines {
namespace {

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A path under the docroot, decoded where it stands; a request with a longer one is not ours.
class DecodedPath {
 public:
  // False when an escape is malformed, the path is too long for the kernel or holds a NUL.
  bool decode(std::string_view encoded) {
    size_ = 0;
    for (std::size_t i = 0; i < encoded.size(); ++i) {
      char c = encoded[i];
      if (c == '%') {
        if (i + 2 >= encoded.size()) return false;
        const int high = hex(encoded[i + 1]);
        const int low = hex(encoded[i + 2]);
        if (high < 0 || low < 0) return false;
        c = static_cast<char>(high * 16 + low);
        i += 2;
      }
      if (c == '\0' || size_ + 1 >= text_.size()) return false;
      text_[size_++] = c;
    }
    text_[size_] = '\0';
    return true;
  }

  // Whether a component is "..". The kernel would hold us beneath the docroot anyway; refusing all
  // of them keeps one file under one name in the cache.
  bool climbs() const {
    std::string_view rest = view();
    for (;;) {
      const std::size_t slash = rest.find('/');
      if (rest.substr(0, slash) == "..") return true;
      if (slash == std::string_view::npos) return false;
      rest.remove_prefix(slash + 1);
    }
  }

  std::string_view view() const { return {text_.data(), size_}; }

 private:
  std::size_t size_ = 0;
  std::array<char, PATH_MAX> text_;
};

// Whether the list of If-None-Match has `etag`. The comparison is the weak one (RFC 9110, 13.1.2).
bool matches(std::string_view list, std::string_view etag) {
  if (list == "*") return true;
  while (!list.empty()) {
    const std::size_t begin = list.find_first_not_of(" \t,");
    if (begin == std::string_view::npos) return false;
    list.remove_prefix(begin);
    if (list.starts_with("W/")) list.remove_prefix(2);
    if (list.empty() || list.front() != '"') return false;
    const std::size_t end = list.find('"', 1);
    if (end == std::string_view::npos) return false;
    if (list.substr(0, end + 1) == etag) return true;
    list.remove_prefix(end + 1);
  }
  return false;
}

bool client_has(const RequestHead& head, const File& file) {
  // RFC 9110, 13.2.2: an entity tag, where given, decides alone.
  if (!head.if_none_match.empty()) return matches(head.if_none_match, file.etag());
  if (head.if_modified_since.empty()) return false;
  const std::optional<std::time_t> since = parse_http_date(head.if_modified_since);
  return since.has_value() && file.modified() <= *since;
}

}  // namespace

Answer file(const Call& call) {
  FileCache* const files = call.site.files();
  DecodedPath path;
  if (files == nullptr || !path.decode(call.rest) || path.climbs()) return status_answer(404);
  std::shared_ptr<const File> found = files->find(path.view(), call.now);
  if (found == nullptr) return status_answer(404);
  Answer answer;
  answer.fields = found->fields();
  if (client_has(call.head, *found)) {
    answer.status = 304;
  } else {
    answer.content_type = found->content_type();
    answer.body = found->body();
  }
  answer.owner = std::move(found);
  return answer;
}

}  // namespace baselines
