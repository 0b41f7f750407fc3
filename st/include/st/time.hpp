// Public header, part of st.hpp. Errors, and how long to wait.
#pragma once

#include <errno.h>

#include <chrono>
#include <system_error>
#include <type_traits>

#include "../st.h"

namespace st {

// How a wait ends besides what the kernel says, for `if (ec == st::timed_out)`. Not to be mistaken
// for std::errc::timed_out, with which TCP gives up a peer that does not answer.
inline constexpr auto timed_out = static_cast<std::errc>(ETIME);
inline constexpr auto interrupted = std::errc::interrupted;      // st::thread::interrupt()
inline constexpr auto canceled = std::errc::operation_canceled;  // closed or destroyed meanwhile

// When a call gives up. Takes a duration from now or a point in time of any clock; without either,
// never.
class deadline {
 public:
  constexpr deadline() = default;

  template <class Rep, class Period>
  deadline(std::chrono::duration<Rep, Period> from_now) {
    // Compared as floating point, because hours::max() has no representation in microseconds.
    const double seconds = std::chrono::duration<double>(from_now).count();
    constexpr double kForever = 1e12;  // thirty thousand years, and still 64 bits of microseconds
    if (seconds >= kForever) return;
    when_ = st_utime();
    if (seconds > 0)
      when_ +=
          static_cast<st_utime_t>(std::chrono::ceil<std::chrono::microseconds>(from_now).count());
  }

  template <class Clock, class Duration>
  deadline(std::chrono::time_point<Clock, Duration> when) : deadline(when - Clock::now()) {}

  bool never() const { return when_ == ST_UTIME_NO_TIMEOUT; }
  bool passed() const { return !never() && st_utime() >= when_; }

  // What is left of it, as the calls of st.h want it.
  st_utime_t remaining() const {
    if (never()) return ST_UTIME_NO_TIMEOUT;
    const st_utime_t now = st_utime();
    return when_ > now ? when_ - now : ST_UTIME_NO_WAIT;
  }

 private:
  st_utime_t when_ = ST_UTIME_NO_TIMEOUT;  // on the library's clock
};

namespace detail {

inline std::error_code last_error() { return {errno, std::generic_category()}; }

[[noreturn]] inline void raise(const char* what, std::error_code ec = last_error()) {
  throw std::system_error(ec, what);
}

// The throwing form of a call, made from the one that takes a std::error_code.
template <class Call>
auto throwing(const char* what, Call call) {
  std::error_code ec;
  if constexpr (std::is_void_v<decltype(call(ec))>) {
    call(ec);
    if (ec) raise(what, ec);
  } else {
    auto result = call(ec);
    if (ec) raise(what, ec);
    return result;
  }
}

}  // namespace detail

// Sleeps; ends early, with st::interrupted, only if interrupted. Always lets the others run.
inline void sleep_until(deadline until, std::error_code& ec) noexcept {
  ec.clear();
  if (st_usleep(until.remaining()) != 0) ec = detail::last_error();
}
inline void sleep_until(deadline until) {
  detail::throwing("st::sleep_until", [&](auto& ec) { sleep_until(until, ec); });
}
template <class Rep, class Period>
void sleep_for(std::chrono::duration<Rep, Period> time, std::error_code& ec) noexcept {
  sleep_until(time, ec);
}
template <class Rep, class Period>
void sleep_for(std::chrono::duration<Rep, Period> time) {
  sleep_until(time);
}

// Lets the other runnable threads run first.
inline void yield() noexcept { st_thread_yield(); }

}  // namespace st
