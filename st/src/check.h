// Internal: include only inside st/src. The assertion that stays in release builds.
#pragma once

#include <initializer_list>

namespace st {
// Writes the words to stderr at once, eight at most; safe in a signal handler.
void say(std::initializer_list<const char*> words);

// Writes what went wrong to stderr and aborts. `what` is a sentence for the programmer who misused
// the library.
[[noreturn]] void check_failed(const char* function, const char* what);

// Sentences that are needed in several places.
inline constexpr char kTooEarly[] = "called before st_init() in this kernel thread";
inline constexpr char kForeign[] = "the object belongs to the scheduler of another kernel thread";
}  // namespace st

#define ST_CHECK(condition, what) \
  (__builtin_expect(!(condition), 0) ? st::check_failed(__func__, what) : static_cast<void>(0))
