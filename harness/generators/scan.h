// Finding numbers in a line that a program printed for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace archbench {

// The rest of the first line in which `name` stands, cut into words; commas and semicolons at their
// ends are left out. Everything throws Error that names what was not found: a number that is not
// understood is never a zero.
class Scan {
 public:
  Scan(std::string_view text, const std::string& name);

  // Whether there is such a line at all.
  static bool has(std::string_view text, const std::string& name);

  const std::string& word(std::size_t index) const;
  double number(std::size_t index) const;  // text behind the digits is allowed: "0.25ms" is 0.25
  std::uint64_t count(std::size_t index) const;

  // "45090 done": the count before the word.
  std::uint64_t count_before(std::string_view word) const;

  // "50.05MB (52484760) total": the first count in brackets.
  std::uint64_t count_in_brackets() const;

 private:
  std::string name_;
  std::vector<std::string> words_;
};

}  // namespace archbench
