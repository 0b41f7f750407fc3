// Reads answers from bytes, however they are cut: no I/O, so that every cut can be tested.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace stload {

// What a head says that matters here.
struct AnswerHead {
  int status = 0;
  bool keep_alive = true;
  std::uint64_t length = 0;  // of the body
};

// The last head that came for one target. Servers repeat their heads byte for byte until their Date
// moves on, once a second, and equal bytes mean the same. So nearly all heads are compared, in a
// few nanoseconds, instead of parsed; those of chunked answers, and of such as end with the
// connection, are never kept.
struct KnownHead {
  std::string bytes;  // empty: none yet
  AnswerHead head;
};

// Compares a body with the right one, or learns it.
class BodyCheck {
 public:
  void compare_with(const std::string& expected) { *this = {&expected, nullptr}; }
  void learn(std::string& into) { *this = {nullptr, &into}; }

  void take(std::span<const char> piece);
  bool right() const { return learned_ || (!wrong_ && seen_ == expected_->size()); }

  BodyCheck() = default;

 private:
  BodyCheck(const std::string* expected, std::string* learned)
      : expected_(expected), learned_(learned) {}

  const std::string* expected_ = nullptr;
  std::string* learned_ = nullptr;
  std::size_t seen_ = 0;
  bool wrong_ = false;
};

class AnswerReader {
 public:
  enum class State { more, done, malformed };

  AnswerReader();
  ~AnswerReader();

  // The next bytes are the beginning of an answer. `known` is read and renewed; `check` sees the
  // body, or is null. Both stay the caller's and must live until the answer is done.
  void begin(KnownHead& known, BodyCheck* check);

  // Takes bytes. Malformed also when there are more than the answer has: nothing was asked yet that
  // they could belong to.
  State feed(std::span<const char> in);

  // The connection has ended: is that how this answer ends?
  State end();

  bool begun() const { return begun_; }             // anything has come
  const AnswerHead& head() const { return head_; }  // once done

 private:
  class Parser;

  State feed_body(std::span<const char> in);
  State parse(std::span<const char> in);
  void remember(std::span<const char> bytes);

  KnownHead* known_ = nullptr;
  BodyCheck* check_ = nullptr;
  AnswerHead head_;
  std::uint64_t missing_ = 0;  // bytes of the body, when by_length_
  bool begun_ = false;
  bool by_length_ = false;          // the head is there, and the body is counted
  std::unique_ptr<Parser> parser_;  // what is not known yet goes through it
  std::string rest_;                // what the parser must see again, with more behind it
};

}  // namespace stload
