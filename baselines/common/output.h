// Answers that wait to be sent: heads and small bodies in one block, large bodies where they are.
#pragma once

#include <sys/uio.h>

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "baselines/common/answer.h"
#include "baselines/common/buffer_pool.h"
#include "baselines/common/http.h"

namespace baselines {

// Lives in a block of the buffer pool. What is not in use is never touched, so that a short answer
// costs one page of memory.
class Output {
 public:
  // Whether one more answer fits, however large its body.
  bool has_room() const;

  // Puts an answer behind the others; needs has_room(). `connection` is a whole Connection field
  // or empty.
  void append(const Answer& answer, bool head_only, std::string_view connection,
              Clock::time_point now);

  // Puts an answer of another server before all others; needs
  // empty(). `head` has everything but `connection` and the empty line, and may be of any size;
  // `owner` keeps head and body alive.
  void append_foreign(int status, std::string_view head, std::string_view connection,
                      std::string_view body, std::shared_ptr<const void> owner);

  // An interim answer (100): bytes that are no answer of their own and are not counted.
  void append_interim(std::string_view bytes);

  std::span<const iovec> pieces() const {
    return std::span(pieces_).subspan(first_piece_, piece_count_ - std::size_t{first_piece_});
  }

  struct Taken {
    std::uint32_t answers = 0;  // whole answers, the last byte of which has now gone
    std::uint32_t errors = 0;   // of these, with a status of 400 or more
  };

  // `bytes` of pieces() have gone; at most as many as there are.
  Taken taken(std::size_t bytes);

  bool empty() const { return first_piece_ == piece_count_; }

 private:
  static constexpr std::size_t kMaxAnswers = 64;
  static constexpr std::size_t kBookkeeping = 1024;  // asserted in output.cc
  static constexpr std::size_t kTextBytes = kBlockBytes - kBookkeeping;

  void add_piece(const char* bytes, std::size_t size);
  void end_answer(int status);

  std::uint64_t added_ = 0;  // bytes of all answers
  std::uint64_t gone_ = 0;   // bytes of them that have been sent
  std::uint32_t text_used_ = 0;
  std::uint16_t first_piece_ = 0;
  std::uint16_t piece_count_ = 0;
  std::uint16_t first_answer_ = 0;
  std::uint16_t answer_count_ = 0;
  std::uint16_t owner_count_ = 0;
  std::array<std::shared_ptr<const void>, Connection::kMaxPieces / 2> owners_;
  std::array<iovec, Connection::kMaxPieces> pieces_;
  std::bitset<kMaxAnswers> answer_is_error_;
  std::array<std::uint64_t, kMaxAnswers> answer_end_;  // in bytes from the beginning, as added_
  std::array<char, kTextBytes> text_;
};

}  // namespace baselines
