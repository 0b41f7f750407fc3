#include "baselines/common/output.h"

#include <cassert>
#include <charconv>

#include "baselines/common/http_date.h"

namespace baselines {
namespace {

// The longest head: status line 80, Date 37, Connection 24, lengths 40, and what endpoints add
// (a type and the validators of a file, below 300).
constexpr std::size_t kMaxAnswerHead = 512;

}  // namespace

static_assert(sizeof(Output) <= kBlockBytes);

bool Output::has_room() const {
  return kTextBytes - text_used_ >= kMaxAnswerHead + kMaxCopiedBody &&
         piece_count_ + 2u <= Connection::kMaxPieces && answer_count_ < kMaxAnswers;
}

void Output::append(const Answer& answer, bool head_only, std::string_view connection,
                    Clock::time_point now) {
  assert(has_room());
  // Written in one run: `p` moves on, and the piece is made once the end is known.
  char* const begin = text_.data() + text_used_;
  char* p = begin;
  const auto copy = [&p](std::string_view bytes) { p += bytes.copy(p, bytes.size()); };
  copy(status_line(answer.status));
  copy(date_field(now));
  if (!answer.content_type.empty()) {
    copy("Content-Type: ");
    copy(answer.content_type);
    copy("\r\n");
  }
  copy(answer.fields);
  // 304 has the length of the body it does not send; RFC 9110 lets it go unsaid.
  if (answer.status != 304) {
    copy("Content-Length: ");
    p = std::to_chars(p, p + 20, answer.body.size()).ptr;
    copy("\r\n");
  }
  copy(connection);
  copy("\r\n");
  const bool has_body = !head_only && !answer.body.empty();
  const bool copied = has_body && answer.body.size() <= kMaxCopiedBody;
  if (copied) copy(answer.body);
  text_used_ += static_cast<std::uint32_t>(p - begin);
  assert(text_used_ <= kTextBytes);
  add_piece(begin, static_cast<std::size_t>(p - begin));
  if (has_body && !copied) {
    add_piece(answer.body.data(), answer.body.size());
    if (answer.owner != nullptr) owners_[owner_count_++] = answer.owner;
  }
  end_answer(answer.status);
}

void Output::append_foreign(int status, std::string_view head, std::string_view connection,
                            std::string_view body, std::shared_ptr<const void> owner) {
  assert(added_ == 0);
  const bool copied = head.size() + body.size() <= kMaxCopiedBody;
  char* const begin = text_.data() + text_used_;
  char* p = begin;
  const auto copy = [&p](std::string_view bytes) { p += bytes.copy(p, bytes.size()); };
  if (!copied) add_piece(head.data(), head.size());
  if (copied) copy(head);
  copy(connection);
  copy("\r\n");
  if (copied) copy(body);
  text_used_ += static_cast<std::uint32_t>(p - begin);
  add_piece(begin, static_cast<std::size_t>(p - begin));
  if (!copied) {
    if (!body.empty()) add_piece(body.data(), body.size());
    owners_[owner_count_++] = std::move(owner);
  }
  end_answer(status);
}

void Output::end_answer(int status) {
  if (status >= 400) answer_is_error_.set(answer_count_);
  answer_end_[answer_count_++] = added_;
}

void Output::append_interim(std::string_view bytes) {
  char* const begin = text_.data() + text_used_;
  text_used_ += static_cast<std::uint32_t>(bytes.copy(begin, bytes.size()));
  add_piece(begin, bytes.size());
}

// Text that follows text makes no new piece.
void Output::add_piece(const char* bytes, std::size_t size) {
  added_ += size;
  if (piece_count_ > first_piece_) {
    iovec& last = pieces_[piece_count_ - 1u];
    if (static_cast<const char*>(last.iov_base) + last.iov_len == bytes) {
      last.iov_len += size;
      return;
    }
  }
  // iovec has no const; nobody writes through it.
  pieces_[piece_count_++] = {.iov_base = const_cast<char*>(bytes), .iov_len = size};
}

Output::Taken Output::taken(std::size_t bytes) {
  gone_ += bytes;
  while (bytes > 0 && !empty()) {
    iovec& piece = pieces_[first_piece_];
    if (bytes < piece.iov_len) {
      piece.iov_base = static_cast<char*>(piece.iov_base) + bytes;
      piece.iov_len -= bytes;
      bytes = 0;
    } else {
      bytes -= piece.iov_len;
      ++first_piece_;
    }
  }
  assert(bytes == 0);  // more was "sent" than there was
  Taken taken;
  for (; first_answer_ < answer_count_ && answer_end_[first_answer_] <= gone_; ++first_answer_) {
    ++taken.answers;
    if (answer_is_error_.test(first_answer_)) ++taken.errors;
  }
  return taken;
}

}  // namespace baselines
