// Drives a Connection as a server would, for the handler's tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "baselines/common/buffer_pool.h"
#include "baselines/common/http.h"
#include "baselines/common/site.h"

namespace baselines::test {

// Time is what the test says it is.
inline constexpr Clock::time_point kStart{std::chrono::hours(1)};

inline const Site& default_site() {
  static const Site site{SiteOptions{}};
  return site;
}

// A client and a server in one: feeds bytes, takes all output, remembers it.
class Driver {
 public:
  explicit Driver(const Site& site = default_site()) : connection(site, slot, now) {}

  // Feeds `bytes` and takes all that is said to them, at most `take` bytes at a time.
  std::string feed(std::string_view bytes, std::size_t take = std::string::npos) {
    connection.advance({bytes.data(), bytes.size()}, now);
    return drain(take);
  }

  std::string end(std::size_t take = std::string::npos) {
    connection.end_of_input(now);
    return drain(take);
  }

  std::string time_out() {
    now = connection.deadline();
    connection.timed_out(now);
    return drain();
  }

  std::string drain(std::size_t take = std::string::npos) {
    std::string all;
    while (connection.want() == Want::output) {
      const std::string some = first_bytes(take);
      if (some.empty()) {
        ADD_FAILURE() << "output is wanted but there is none";
        break;
      }
      all += some;
      connection.sent(some.size(), now);
    }
    return all;
  }

  // What writev() with a full socket buffer would take.
  std::string first_bytes(std::size_t most) const {
    EXPECT_LE(connection.output().size(), Connection::kMaxPieces);
    std::string bytes;
    for (const iovec& piece : connection.output()) {
      const std::size_t n = std::min(piece.iov_len, most - bytes.size());
      bytes.append(static_cast<const char*>(piece.iov_base), n);
      if (bytes.size() == most) break;
    }
    return bytes;
  }

  // Whether the answers said are the last; after a refusal the client is told by a shutdown.
  bool closed() const {
    return connection.want() == Want::close || connection.want() == Want::shut_down;
  }
  bool waiting() const { return connection.want() == Want::input; }

  CounterSlot slot{};
  Clock::time_point now = kStart;
  Connection connection;
};

// Every answer has a Date; two that are to be compared must not differ by it.
inline std::string mask_dates(std::string bytes) {
  constexpr std::string_view kField = "\r\nDate: ";
  constexpr std::size_t kLength = 29;  // Sun, 06 Nov 1994 08:49:37 GMT
  for (std::size_t at = bytes.find(kField); at != std::string::npos; at = bytes.find(kField, at)) {
    at += kField.size();
    bytes.replace(at, std::min(kLength, bytes.size() - at), kLength, '*');
  }
  return bytes;
}

inline std::string get(std::string_view target, std::string_view fields = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n" + std::string(fields) +
         "\r\n";
}

inline int status_of(std::string_view answer) {
  if (!answer.starts_with("HTTP/1.1 ") || answer.size() < 12) return 0;
  return std::stoi(std::string(answer.substr(9, 3)));
}

inline std::string field_of(std::string_view answer, std::string_view name) {
  const std::string wanted = "\r\n" + std::string(name) + ": ";
  const std::size_t head_end = answer.find("\r\n\r\n");
  const std::size_t at = answer.substr(0, head_end).find(wanted);
  if (at == std::string_view::npos) return "";
  const std::size_t begin = at + wanted.size();
  return std::string(answer.substr(begin, answer.find("\r\n", begin) - begin));
}

inline std::string body_of(std::string_view answer) {
  const std::size_t head_end = answer.find("\r\n\r\n");
  return head_end == std::string_view::npos ? "" : std::string(answer.substr(head_end + 4));
}

// Cuts a run of answers (none of them to HEAD) at their Content-Length.
inline std::vector<std::string> split_answers(std::string_view bytes) {
  std::vector<std::string> answers;
  while (!bytes.empty()) {
    const std::string length = field_of(bytes, "Content-Length");
    const std::size_t head_end = bytes.find("\r\n\r\n");
    if (head_end == std::string_view::npos) {
      ADD_FAILURE() << "not an answer: " << bytes;
      break;
    }
    const std::size_t size = head_end + 4 + (length.empty() ? 0 : std::stoul(length));
    answers.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(std::min(size, bytes.size()));
  }
  return answers;
}

}  // namespace baselines::test
