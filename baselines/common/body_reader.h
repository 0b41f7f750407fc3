// Reads the body of a request to its end and throws it away.
//
// No endpoint takes a body, but what follows it on the connection can only be found by reading it.
// A state machine over single bytes of framing: it needs no buffer, and how the network cut the
// bytes cannot matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace baselines {

struct SiteOptions;

class BodyReader {
 public:
  // Exactly one of these begins a body.
  void begin_sized(std::uint64_t bytes);
  void begin_chunked();

  // Uses bytes up to the end of the body, or up to an error, and says how many.
  std::size_t take(std::span<const char> bytes, const SiteOptions& limits);

  bool done() const { return state_ == State::done; }
  int error() const { return error_; }  // the status to answer, 0 while all is well

 private:
  enum class State : std::uint8_t {
    data,        // left_ bytes, then done
    size_first,  // the first digit of a chunk's size
    size,        // more digits, an extension or the end of the line
    extension,   // skipped up to the end of the line
    size_lf,     // the LF after the size line
    chunk_data,  // left_ bytes of a chunk
    chunk_cr,
    chunk_lf,       // the line end after a chunk's bytes
    trailer_first,  // the first byte of a trailer line
    trailer,        // skipped up to the end of the line
    trailer_lf,
    end_lf,  // the LF of the empty line after the trailers
    done,
  };

  void step(char c, const SiteOptions& limits);
  void size_digit(unsigned digit, const SiteOptions& limits);
  void fail(int status);

  std::uint64_t left_ = 0;     // bytes of this chunk or body; while in `size`, the size so far
  std::uint64_t total_ = 0;    // bytes of all chunks so far
  std::uint32_t skipped_ = 0;  // bytes of extensions and trailers so far
  std::int16_t error_ = 0;
  State state_ = State::done;
};

}  // namespace baselines
