#include "harness/stload/answer.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstring>
#include <limits>

namespace stload {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

// A chunked body ends with "0", two line ends, and nothing shorter: fewer bytes are never the last
// ones. Boost 1.74 asserts that it is not shown a part of them twice.
constexpr std::size_t kLeastToCome = 5;

void BodyCheck::take(std::span<const char> piece) {
  if (learned_) {
    learned_->append(piece.data(), piece.size());
    return;
  }
  wrong_ = wrong_ || piece.size() > expected_->size() - seen_ ||
           std::memcmp(piece.data(), expected_->data() + seen_, piece.size()) != 0;
  if (!wrong_) seen_ += piece.size();
}

// Parses one message; Beast does the work and this passes the body on.
class AnswerReader::Parser final : public http::basic_parser<false> {
 public:
  explicit Parser(BodyCheck* check) : check_(check) {
    // Servers of today send heads of up to 64 KiB. A disengaged body limit is smaller than every
    // length in Boost 1.74.
    header_limit(64 * 1024);
    body_limit(std::numeric_limits<std::uint64_t>::max());
  }

  int status() const { return status_; }

 private:
  void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}
  void on_response_impl(int status, string_view, int, error_code&) override { status_ = status; }
  void on_field_impl(http::field, string_view, string_view, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override {
    if (check_) check_->take({body.data(), body.size()});
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code& error) override {
    return on_body_impl(body, error);
  }
  void on_finish_impl(error_code&) override {}

  BodyCheck* check_;
  int status_ = 0;
};

AnswerReader::AnswerReader() = default;
AnswerReader::~AnswerReader() = default;

void AnswerReader::begin(KnownHead& known, BodyCheck* check) {
  known_ = &known;
  check_ = check;
  begun_ = false;
  by_length_ = false;
  if (parser_) {
    parser_.reset();
    rest_.clear();
  }
}

AnswerReader::State AnswerReader::feed(std::span<const char> in) {
  if (by_length_) return feed_body(in);
  const std::string& known = known_->bytes;
  if (!begun_ && !known.empty() && in.size() >= known.size() &&
      std::memcmp(in.data(), known.data(), known.size()) == 0) {
    begun_ = by_length_ = true;
    head_ = known_->head;
    missing_ = head_.length;
    return feed_body(in.subspan(known.size()));
  }
  return parse(in);
}

AnswerReader::State AnswerReader::feed_body(std::span<const char> in) {
  if (in.size() > missing_) return State::malformed;
  if (check_ && !in.empty()) check_->take(in);
  missing_ -= in.size();
  return missing_ == 0 ? State::done : State::more;
}

AnswerReader::State AnswerReader::parse(std::span<const char> in) {
  const std::span<const char> whole = in;
  const bool at_once = !begun_;  // the head may be remembered if all of it is in these bytes
  if (!parser_) parser_ = std::make_unique<Parser>(check_);
  begun_ = true;
  if (!rest_.empty()) {
    rest_.append(in.data(), in.size());
    in = rest_;
  }
  while (!in.empty()) {
    const bool in_chunks = parser_->is_header_done() && parser_->chunked();
    if (in_chunks && in.size() < kLeastToCome) break;
    error_code error;
    in = in.subspan(parser_->put({in.data(), in.size()}, error));
    if (error == http::error::need_more) break;
    if (error) return State::malformed;
    if (!parser_->is_header_done()) continue;
    if (parser_->status() / 100 == 1) {  // an interim answer: the real one follows
      parser_ = std::make_unique<Parser>(check_);
      continue;
    }
    head_.status = parser_->status();
    head_.keep_alive = parser_->keep_alive();
    if (!parser_->chunked() && !parser_->need_eof()) {
      by_length_ = true;
      // 204 and 304 have no body, whatever length they name.
      head_.length = parser_->is_done() ? 0 : parser_->content_length().value_or(0);
      missing_ = head_.length;
      if (at_once) remember(whole.first(whole.size() - in.size()));
      return feed_body(in);
    }
    if (parser_->is_done()) return in.empty() ? State::done : State::malformed;
  }
  rest_ = std::string(in.begin(), in.end());  // which may be a part of rest_ itself
  return State::more;
}

void AnswerReader::remember(std::span<const char> bytes) {
  known_->bytes.assign(bytes.data(), bytes.size());
  known_->head = head_;
}

AnswerReader::State AnswerReader::end() {
  if (!parser_ || by_length_ || !parser_->is_header_done() || !parser_->need_eof()) {
    return State::malformed;
  }
  return State::done;
}

}  // namespace stload
