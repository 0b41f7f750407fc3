// What an origin answers, taken apart and made ready to be passed on: a pure step, like the
// handler.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace baselines {

class UpstreamAnswer {
 public:
  enum class Progress {
    incomplete,  // read on
    complete,
    malformed,  // or larger than we pass on: nothing can be done with it
  };

  // `head_only`: it answers HEAD, so it has no body whatever its head says.
  explicit UpstreamAnswer(bool head_only);
  ~UpstreamAnswer();
  UpstreamAnswer(UpstreamAnswer&& other) noexcept;
  UpstreamAnswer& operator=(UpstreamAnswer&& other) noexcept;

  // Takes what has come from the origin.
  Progress take(std::span<const char> bytes);

  // The origin has closed the connection: the end of some answers, too early for others.
  Progress end_of_input();

  // Whether anything has come yet. A pooled connection on which nothing comes was a stale one.
  bool begun() const;

  // When complete: the origin will take another request on the same connection.
  bool reusable() const;

  // When complete. `head` is the status line and the fields to be passed on, Content-Length among
  // them, without the empty line; the fields that concern the origin's connection are left out.
  int status() const;
  std::string_view head() const;
  std::string_view body() const;

 private:
  class Parser;

  std::unique_ptr<Parser> parser_;
  std::string pending_;  // came, but the parser wants it together with what follows
  bool head_only_;
  bool begun_ = false;
  bool surplus_ = false;  // the origin has said more than it was asked
};

}  // namespace baselines
