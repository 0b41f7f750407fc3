#include "baselines/common/upstream_answer.h"

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <vector>

#include "baselines/common/site.h"

namespace baselines {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

using boost::beast::error_code;

// What is longer is not passed on. A body is held in memory until it has been sent; 16 MiB is the
// largest that the servers of this project make.
constexpr std::uint32_t kMaxUpstreamHead = 16 * kKiB;
constexpr std::uint64_t kMaxUpstreamBody = 16 * kMiB;

std::string_view view(beast::string_view s) { return {s.data(), s.size()}; }

// Fields that speak of one connection and not of the answer (RFC 9110, 7.6.1).
bool concerns_connection(http::field field) {
  switch (field) {
    case http::field::connection:
    case http::field::proxy_connection:
    case http::field::keep_alive:
    case http::field::te:
    case http::field::trailer:
    case http::field::transfer_encoding:
    case http::field::upgrade:
      return true;
    default:
      return false;
  }
}

}  // namespace

class UpstreamAnswer::Parser final : public http::basic_parser<false> {
 public:
  explicit Parser(bool head_only) : head_only_(head_only) {
    eager(true);  // one put() goes as far as the bytes do
    skip(head_only);
    header_limit(kMaxUpstreamHead);
    body_limit(kMaxUpstreamBody);
  }

  int status() const { return status_; }
  std::string_view head() const { return head_; }
  std::string_view body() const { return body_; }

 private:
  struct Line {
    std::string name;
    std::string text;  // the whole line
  };

  void on_request_impl(http::verb, beast::string_view, beast::string_view, int,
                       error_code&) override {}

  void on_response_impl(int code, beast::string_view reason, int, error_code&) override {
    status_ = code;
    head_ = "HTTP/1.1 " + std::to_string(code) + " ";
    head_ += view(reason);
    head_ += "\r\n";
  }

  void on_field_impl(http::field field, beast::string_view name, beast::string_view value,
                     error_code& error) override {
    if (head_done_) return;  // a trailer; passing it on is optional
    if (field == http::field::connection) {
      for (const beast::string_view option : http::token_list(value)) options_.emplace_back(option);
    }
    // A coding that we would not undo must not vanish with its field.
    if (field == http::field::transfer_encoding && !beast::iequals(value, "chunked")) {
      error = http::error::bad_transfer_encoding;
    }
    if (field == http::field::content_length) {
      length_ = value.to_string();  // said anew: a chunked answer has none
    } else if (!concerns_connection(field)) {
      lines_.push_back({name.to_string(), name.to_string() + ": " + value.to_string() + "\r\n"});
    }
  }

  void on_header_impl(error_code&) override {
    head_done_ = true;
    for (const Line& line : lines_) {
      // The Connection field may name further fields that go no further.
      const auto is_name = [&](const std::string& option) {
        return beast::iequals(option, line.name);
      };
      if (std::none_of(options_.begin(), options_.end(), is_name)) head_ += line.text;
    }
    lines_.clear();
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& error) override {
    if (!length) return;
    // The parser's own complaint about the limit is lost when bytes of the body follow
    // (Beast 1.74).
    if (*length > kMaxUpstreamBody) {
      error = http::error::body_limit;
    } else {
      body_.reserve(*length);
    }
  }
  std::size_t on_body_impl(beast::string_view body, error_code& error) override {
    return append(body, error);
  }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body,
                                 error_code& error) override {
    return append(body, error);
  }

  std::size_t append(beast::string_view body, error_code& error) {
    if (body_.size() + body.size() > kMaxUpstreamBody) {
      error = http::error::body_limit;
      return 0;
    }
    body_.append(body.data(), body.size());
    return body.size();
  }

  void on_finish_impl(error_code&) override {
    // Where there is no body the length speaks of the one that GET would bring.
    const bool without_body = head_only_ || status_ == 304;
    if (status_ != 204 && !without_body) length_ = std::to_string(body_.size());
    if (status_ != 204 && !length_.empty()) head_ += "Content-Length: " + length_ + "\r\n";
  }

  bool head_only_;
  bool head_done_ = false;
  int status_ = 0;
  std::vector<std::string> options_;  // of the Connection field
  std::vector<Line> lines_;           // until options_ is complete
  std::string length_;                // as the origin said it
  std::string head_;
  std::string body_;
};

UpstreamAnswer::UpstreamAnswer(bool head_only)
    : parser_(std::make_unique<Parser>(head_only)), head_only_(head_only) {}
UpstreamAnswer::~UpstreamAnswer() = default;
UpstreamAnswer::UpstreamAnswer(UpstreamAnswer&& other) noexcept = default;
UpstreamAnswer& UpstreamAnswer::operator=(UpstreamAnswer&& other) noexcept = default;

UpstreamAnswer::Progress UpstreamAnswer::take(std::span<const char> bytes) {
  begun_ = begun_ || !bytes.empty();
  // Mostly nothing is pending, and the parser reads where the bytes are.
  std::string joined;
  if (!pending_.empty()) {
    joined = std::move(pending_);
    joined.append(bytes.data(), bytes.size());
    bytes = joined;
  }
  for (;;) {
    // Whatever of a chunked answer is missing, at least the last chunk is: "0", two line ends. With
    // fewer bytes of it Beast's parser asserts (1.74, parse_chunk_header).
    if (parser_->chunked() && bytes.size() < 5) {
      pending_.assign(bytes.data(), bytes.size());
      return Progress::incomplete;
    }
    error_code error;
    const std::size_t used =
        parser_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    bytes = bytes.subspan(used);
    if (error && error != http::error::need_more) return Progress::malformed;
    if (!parser_->is_done()) {
      pending_.assign(bytes.data(), bytes.size());
      return Progress::incomplete;
    }
    if (parser_->status() >= 200) break;
    // An interim answer (100, 103): the real one follows. Nobody has asked for 101.
    if (parser_->status() == 101) return Progress::malformed;
    parser_ = std::make_unique<Parser>(head_only_);
    if (bytes.empty()) return Progress::incomplete;
  }
  surplus_ = !bytes.empty();
  return Progress::complete;
}

UpstreamAnswer::Progress UpstreamAnswer::end_of_input() {
  error_code error;
  if (!parser_->got_some()) return Progress::malformed;
  parser_->put_eof(error);
  return error || !parser_->is_done() ? Progress::malformed : Progress::complete;
}

bool UpstreamAnswer::begun() const { return begun_; }
bool UpstreamAnswer::reusable() const { return parser_->keep_alive() && !surplus_; }
int UpstreamAnswer::status() const { return parser_->status(); }
std::string_view UpstreamAnswer::head() const { return parser_->head(); }
std::string_view UpstreamAnswer::body() const { return parser_->body(); }

}  // namespace baselines
