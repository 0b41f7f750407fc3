// Finds where a request's head ends, remembering how far it has looked.
//
// The parser (request.h) then sees whole heads only. That makes the outcome depend on the bytes
// alone and never on how the network cut them, and looks at each byte once however they trickle in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace baselines {

struct SiteOptions;

class HeadScanner {
 public:
  enum class Result {
    incomplete,       // no end yet
    complete,         // size() bytes are a whole head
    blank,            // size() bytes are an empty line before the head, which RFC 9112 lets pass
    malformed,        // 400: cannot become a head whatever follows
    target_too_long,  // 414: the request line does not end within its limit
    too_large,        // 431: the head does not end within its limit
  };

  // `bytes` begins with the request; each call after `incomplete` sees at least as many of them.
  Result scan(std::span<const char> bytes, const SiteOptions& limits);

  std::size_t size() const { return next_; }

 private:
  std::uint32_t line_ = 0;  // where the line that is being looked at begins
  std::uint32_t next_ = 0;  // the first byte not looked at
};

}  // namespace baselines
