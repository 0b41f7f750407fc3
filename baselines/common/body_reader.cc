#include "baselines/common/body_reader.h"

#include <algorithm>

#include "baselines/common/site.h"

namespace baselines {
namespace {

// A chunk's size in hexadecimal, or -1. RFC 9112 gives it no sign, space or prefix.
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_text(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); }

}  // namespace

void BodyReader::begin_sized(std::uint64_t bytes) {
  *this = BodyReader();
  left_ = bytes;
  state_ = bytes == 0 ? State::done : State::data;
}

void BodyReader::begin_chunked() {
  *this = BodyReader();
  state_ = State::size_first;
}

std::size_t BodyReader::take(std::span<const char> bytes, const SiteOptions& limits) {
  std::size_t used = 0;
  while (used < bytes.size() && state_ != State::done && error_ == 0) {
    if (state_ != State::data && state_ != State::chunk_data) {
      step(bytes[used++], limits);
      continue;
    }
    const auto n = std::min<std::uint64_t>(left_, bytes.size() - used);
    used += n;
    left_ -= n;
    if (left_ == 0) state_ = state_ == State::data ? State::done : State::chunk_cr;
  }
  return used;
}

// One byte of framing.
void BodyReader::step(char c, const SiteOptions& limits) {
  const auto expect = [this, c](char wanted, State next) {
    if (c == wanted) {
      state_ = next;
    } else {
      fail(400);
    }
  };
  // Extensions and trailers are skipped, but not without end.
  const auto skip = [this, c, &limits](State line_end, State otherwise) {
    if (c == '\r') {
      state_ = line_end;
    } else if (!is_text(c)) {
      fail(400);
    } else if (++skipped_ > limits.max_head_bytes) {
      fail(431);
    } else {
      state_ = otherwise;
    }
  };

  switch (state_) {
    case State::size_first:
    case State::size:
      if (const int digit = hex_value(c); digit >= 0) {
        size_digit(static_cast<unsigned>(digit), limits);
      } else if (state_ == State::size_first) {
        fail(400);
      } else if (c == ';') {
        state_ = State::extension;
      } else {
        expect('\r', State::size_lf);
      }
      break;
    case State::extension:
      skip(State::size_lf, State::extension);
      break;
    case State::size_lf:
      expect('\n', left_ == 0 ? State::trailer_first : State::chunk_data);
      break;
    case State::chunk_cr:
      expect('\r', State::chunk_lf);
      break;
    case State::chunk_lf:
      expect('\n', State::size_first);
      break;
    case State::trailer_first:
      skip(State::end_lf, State::trailer);
      break;
    case State::trailer:
      skip(State::trailer_lf, State::trailer);
      break;
    case State::trailer_lf:
      expect('\n', State::trailer_first);
      break;
    case State::end_lf:
      expect('\n', State::done);
      break;
    case State::data:
    case State::chunk_data:
    case State::done:
      break;  // take() does not come here with these
  }
}

void BodyReader::size_digit(unsigned digit, const SiteOptions& limits) {
  // left_ was within the limit before this digit, so sixteen times it cannot overflow.
  const bool first = state_ == State::size_first;
  left_ = (first ? 0 : left_ * 16) + digit;
  total_ += left_ - (first ? 0 : (left_ - digit) / 16);
  state_ = State::size;
  // Endless leading zeros are framing too.
  if (total_ > limits.max_body_bytes) {
    fail(413);
  } else if (++skipped_ > limits.max_head_bytes + limits.max_body_bytes) {
    fail(400);
  }
}

void BodyReader::fail(int status) { error_ = static_cast<std::int16_t>(status); }

}  // namespace baselines
