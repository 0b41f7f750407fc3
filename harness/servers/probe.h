// One request over a plain socket: is the body right, before and after the timed part?
#pragma once

#include <cstddef>
#include <string>

namespace archbench {

struct Body {
  int status = 0;
  std::size_t head_bytes = 0;
  std::string content;

  std::size_t answer_bytes() const { return head_bytes + content.size(); }
};

// Asks `url` (http://ADDR:PORT) for `path` just as the generator does, so that the answer has the
// length of the generator's answers. Throws CellFailed when no whole answer comes within 5 seconds.
Body fetch(const std::string& url, const std::string& path, bool keepalive);

// Whether somebody accepts connections there.
bool can_connect(const std::string& url);

// What is wrong with it, as a sentence; empty when nothing is. The status must be 200, and /bytes/N
// must have N bytes.
std::string body_complaint(const Body& body, const std::string& path);

}  // namespace archbench
