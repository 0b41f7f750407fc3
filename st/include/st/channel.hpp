// Public header, part of st.hpp. A bounded queue between threads.
#pragma once

#include <cassert>
#include <cstddef>
#include <deque>
#include <iterator>
#include <optional>
#include <utility>

#include "wait.hpp"

namespace st {

// Values of type T, which need only be movable, in the order in which they were sent. Sending waits
// while `capacity` of them are inside. Once closed, nothing can be sent (std::errc::broken_pipe),
// and receiving gives what is left and then nothing. Destroying it sends waiting threads away with
// st::canceled.
//
//   for (auto job : jobs) work(job);   // until jobs.close()
template <class T>
class channel {
 public:
  explicit channel(std::size_t capacity) : capacity_(capacity) { assert(capacity > 0); }

  // After a failure `value` still has what it had.
  void send(T&& value, deadline until, std::error_code& ec) {
    ec.clear();
    while (!closed_ && values_.size() >= capacity_) {
      room_.wait(until, ec);
      if (ec == canceled || ec == interrupted) return;
      if (ec && !closed_ && values_.size() >= capacity_) return;
    }
    ec.clear();
    if (!put(value)) ec = std::make_error_code(std::errc::broken_pipe);
  }
  void send(T&& value, deadline until = {}) {
    detail::throwing("st::channel::send", [&](auto& ec) { send(std::move(value), until, ec); });
  }
  void send(const T& value, deadline until = {}) { send(T(value), until); }

  // Nothing: closed and empty, or, with `ec` set, not in time.
  std::optional<T> receive(deadline until, std::error_code& ec) {
    ec.clear();
    while (!closed_ && values_.empty()) {
      filled_.wait(until, ec);
      if (ec == canceled || ec == interrupted) return std::nullopt;
      if (ec && !closed_ && values_.empty()) return std::nullopt;
    }
    ec.clear();
    return try_receive();
  }
  std::optional<T> receive(deadline until = {}) {
    return detail::throwing("st::channel::receive", [&](auto& ec) { return receive(until, ec); });
  }

  // Without waiting. False: full or closed, and `value` still has what it had.
  bool try_send(T&& value) { return values_.size() < capacity_ && put(value); }
  std::optional<T> try_receive() {
    if (values_.empty()) return std::nullopt;
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    room_.notify_one();
    return value;
  }

  void close() noexcept {
    closed_ = true;
    room_.notify_all();
    filled_.notify_all();
  }
  bool is_closed() const { return closed_; }
  std::size_t size() const { return values_.size(); }

  // What range-for needs: each step receives.
  class iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    explicit iterator(channel& from) : from_(&from), value_(from.receive()) {}
    T& operator*() const { return *value_; }
    iterator& operator++() {
      value_ = from_->receive();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !value_; }

   private:
    channel* from_;
    mutable std::optional<T> value_;
  };
  iterator begin() { return iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  bool put(T& value) {
    if (closed_) return false;
    values_.push_back(std::move(value));
    filled_.notify_one();
    return true;
  }

  std::size_t capacity_;
  bool closed_ = false;
  std::deque<T> values_;
  detail::wait_queue room_;    // senders
  detail::wait_queue filled_;  // receivers
};

}  // namespace st
