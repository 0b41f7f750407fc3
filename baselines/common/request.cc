#include "baselines/common/request.h"

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <charconv>
#include <cstring>
#include <limits>

#include "baselines/common/site.h"

namespace baselines {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

using boost::beast::error_code;

std::string_view view(beast::string_view s) { return {s.data(), s.size()}; }

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

// uri-host [":" port] has none of the characters that would make two readers of the same request
// see two different hosts. A table: find_first_of() calls memchr() for each character of the value,
// which was a tenth of all instructions of a request.
constexpr auto kNotInHost = [] {
  std::array<bool, 256> result{};
  for (const char c : std::string_view(" \t,/?#@\\\"<>"))
    result[static_cast<unsigned char>(c)] = true;
  return result;
}();

// An empty Host is allowed.
bool is_host(std::string_view value) {
  return std::none_of(value.begin(), value.end(),
                      [](char c) { return kNotInHost[static_cast<unsigned char>(c)]; });
}

// Splits a request target in origin-form or absolute-form; false when it is neither.
bool split_target(std::string_view target, RequestHead& head) {
  if (target.front() != '/') {
    const std::size_t colon = target.find("://");
    if (colon == std::string_view::npos) return false;
    const std::string_view scheme = target.substr(0, colon);
    if (!same_ignoring_case(scheme, "http") && !same_ignoring_case(scheme, "https")) return false;
    target.remove_prefix(colon + 3);
    const std::size_t authority = std::min(target.find_first_of("/?"), target.size());
    if (authority == 0 || !is_host(target.substr(0, authority))) return false;
    target.remove_prefix(authority);
  }
  const std::size_t question = target.find('?');
  head.path = target.substr(0, question);
  if (question != std::string_view::npos) head.query = target.substr(question + 1);
  if (head.path.empty()) head.path = "/";
  return true;
}

// Sees one whole head in one put() and is thrown away: it holds no memory of its own.
class HeadParser final : public http::basic_parser<true> {
 public:
  HeadParser(RequestHead& head, const SiteOptions& limits) : head_(head), limits_(limits) {
    // The scanner has bounded the head and we bound the body; Beast's own limits would only give
    // other statuses. (A disengaged body limit compares as smaller than every length in 1.74.)
    header_limit(std::numeric_limits<std::uint32_t>::max());
    body_limit(std::numeric_limits<std::uint64_t>::max());
  }

  void parse(std::span<const char> bytes) {
    error_code error;
    const std::size_t used = put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (head_.status != 0) return;
    if (error == http::error::bad_version && is_other_version(bytes)) return refuse(505);
    if (error || !is_header_done() || used != bytes.size()) return refuse(400);
    if (length_fields_ + encoding_fields_ > 1) return refuse(400);
    if (head_.http11 ? host_fields_ != 1 : host_fields_ > 1) return refuse(400);
    // RFC 9112, 6.1: HTTP/1.0 has no transfer codings, so somebody on the way misunderstood.
    if (encoding_fields_ > 0 && !head_.http11) return refuse(400);
    head_.keep_alive = keep_alive() && !close_;
    if (head_.allowed && !split_target(target_, head_)) refuse(400);
  }

 private:
  void refuse(int status) { head_.status = status; }

  void refuse(int status, error_code& error) {
    refuse(status);
    error = http::error::bad_field;  // any error stops the parser
  }

  // Beast says bad_version for "HTTP/2.0" and for "HTTQ/1.1"; only the first deserves 505.
  static bool is_other_version(std::span<const char> bytes) {
    std::string_view line(bytes.data(), bytes.size());
    line = line.substr(0, line.find("\r\n"));
    const std::size_t space = line.rfind(' ');
    if (space == std::string_view::npos) return false;
    const std::string_view version = line.substr(space + 1);
    const auto digit = [&](std::size_t i) { return version[i] >= '0' && version[i] <= '9'; };
    return version.size() == 8 && version.starts_with("HTTP/") && digit(5) && version[6] == '.' &&
           digit(7);
  }

  void on_request_impl(http::verb method, beast::string_view, beast::string_view target,
                       int version, error_code& error) override {
    head_.head_only = method == http::verb::head;
    head_.allowed = head_.head_only || method == http::verb::get;
    head_.http11 = version == 11;
    target_ = view(target);
    if (target_.size() > limits_.max_target_bytes) refuse(414, error);
  }

  void on_field_impl(http::field field, beast::string_view beast_name,
                     beast::string_view beast_value, error_code& error) override {
    const std::string_view name = view(beast_name);
    const std::string_view value = view(beast_value);
    if (++fields_ > limits_.max_fields) return refuse(431, error);
    if (is_folded(name, value)) return refuse(400, error);
    switch (field) {
      case http::field::host:
        if (++host_fields_ > 1 || !is_host(value)) refuse(400, error);
        break;
      case http::field::content_length:
        content_length(value, error);
        break;
      case http::field::transfer_encoding:
        transfer_encoding(value, error);
        break;
      case http::field::connection:
        // In HTTP/1.0 Beast lets keep-alive win over close; RFC 9112, 9.3 wants close to win.
        if (!head_.http11) close_ = close_ || http::token_list(beast_value).exists("close");
        break;
      case http::field::expect:
        if (head_.http11) head_.expects_continue = same_ignoring_case(value, "100-continue");
        break;
      case http::field::if_none_match:
        if (head_.if_none_match.empty()) head_.if_none_match = value;
        break;
      case http::field::if_modified_since:
        head_.if_modified_since = value;
        break;
      default:
        break;
    }
  }

  // Beast joins folded lines in a buffer of its own, or lets the value begin on the next line. The
  // shortest fold puts ":\r\n " between name and value, and usually there is just ": ".
  static bool is_folded(std::string_view name, std::string_view value) {
    const char* const colon = name.data() + name.size();
    if (std::less<>()(value.data(), colon)) return true;
    const auto gap = static_cast<std::size_t>(value.data() - colon);
    if (gap < 4) return false;
    return gap > kMaxHeadBytes || std::memchr(colon, '\r', gap) != nullptr;
  }

  void content_length(std::string_view value, error_code& error) {
    // Beast accepts lists of equal numbers and repeated fields; two readers may not agree on those.
    const char* const end = value.data() + value.size();
    const auto [stop, problem] = std::from_chars(value.data(), end, head_.content_length);
    if (++length_fields_ > 1 || problem != std::errc() || stop != end) refuse(400, error);
  }

  void transfer_encoding(std::string_view value, error_code& error) {
    if (++encoding_fields_ > 1 || value.empty()) return refuse(400, error);
    if (same_ignoring_case(value, "chunked")) {
      head_.chunked = true;
      return;
    }
    // "chunked" twice or not at the end is broken framing; any other coding is one we do not know.
    const std::size_t comma = value.find(',');
    const bool chunked_first = same_ignoring_case(value.substr(0, comma), "chunked");
    refuse(chunked_first ? 400 : 501, error);
  }

  void on_response_impl(int, beast::string_view, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  RequestHead& head_;
  const SiteOptions& limits_;
  std::string_view target_;
  std::size_t fields_ = 0;
  unsigned host_fields_ = 0;
  unsigned length_fields_ = 0;
  unsigned encoding_fields_ = 0;
  bool close_ = false;
};

}  // namespace

RequestHead parse_head(std::span<const char> head, const SiteOptions& limits) {
  RequestHead result;
  HeadParser(result, limits).parse(head);
  return result;
}

}  // namespace baselines
