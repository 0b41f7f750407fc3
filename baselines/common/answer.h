// What an endpoint says to a request, before it is put into bytes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace baselines {

struct Answer {
  int status = 200;                   // one that status.cc knows
  std::string_view content_type;      // empty: no such field
  std::string_view fields;            // further fields, each a whole line with its CRLF; copied
  std::string_view body;              // copied when it is small, else sent from where it is
  std::shared_ptr<const void> owner;  // keeps a body alive that may vanish before it is sent
};

// Bodies up to here are copied behind their head, so that one piece goes out: copying 2 KiB costs
// about as much as handing the kernel a second piece.
inline constexpr std::size_t kMaxCopiedBody = 2048;

// A plain answer with nothing but its status, and what RFC 9110 demands beside it.
Answer status_answer(int status);

// A plain answer with a text of its own.
Answer text_answer(std::string text);

// "HTTP/1.1 404 Not Found\r\nServer: ...\r\n".
std::string_view status_line(int status);

}  // namespace baselines
