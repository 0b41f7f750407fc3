// One request head, parsed and judged.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace baselines {

struct SiteOptions;

// The views point into the bytes that were parsed and live as long as those.
struct RequestHead {
  int status = 0;  // 0: well formed; else the status to refuse it with, and the rest means nothing
  bool allowed = false;           // GET or HEAD; anything else is 405
  bool head_only = false;         // HEAD
  bool http11 = true;             // else HTTP/1.0
  bool keep_alive = true;         // the client wants to go on after this request
  bool chunked = false;           // the body is chunked
  bool expects_continue = false;  // the client waits for 100 before it sends the body
  std::uint64_t content_length = 0;
  std::string_view path;   // begins with '/', not decoded, without the query
  std::string_view query;  // what follows the '?'
  std::string_view if_none_match;
  std::string_view if_modified_since;

  bool has_body() const { return chunked || content_length > 0; }
};

// `head` ends with the empty line (HeadScanner found it). Uses Boost.Beast's parser and adds what
// that leaves to its user: no folded lines, one Host, one unambiguous body length, the limits.
RequestHead parse_head(std::span<const char> head, const SiteOptions& limits);

}  // namespace baselines
