// What the servers say to people: whole lines on stderr. (Stdout carries two JSON lines, no more.)
#pragma once

#include <string>

namespace baselines {

// One line with the program's name and process id before it, written with a single system call so
// that the lines of several processes never mix.
[[gnu::format(printf, 1, 2)]] void log_line(const char* format, ...);

// "Address already in use (EADDRINUSE)": the words for a person, the name for a search.
std::string describe_errno(int error);

}  // namespace baselines
