#include "harness/generators/scan.h"

#include <algorithm>
#include <charconv>

#include "harness/error.h"

namespace archbench {
namespace {

std::uint64_t to_count(std::string_view word, const std::string& line) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
  if (error != std::errc{} || end != word.data() + word.size()) {
    throw Error("\"" + line + "\": expected a count, got \"" + std::string(word) + "\"");
  }
  return count;
}

}  // namespace

bool Scan::has(std::string_view text, const std::string& name) {
  return text.find(name) != std::string_view::npos;
}

Scan::Scan(std::string_view text, const std::string& name) : name_(name) {
  const std::size_t found = text.find(name);
  if (found == std::string_view::npos) throw Error("there is no line with \"" + name + "\"");
  text.remove_prefix(found + name.size());
  text = text.substr(0, text.find('\n'));
  while (!text.empty()) {
    const std::size_t begin = std::min(text.find_first_not_of(" \t\r"), text.size());
    const std::size_t end = std::min(text.find_first_of(" \t\r", begin), text.size());
    std::string word(text.substr(begin, end - begin));
    while (!word.empty() && (word.back() == ',' || word.back() == ';')) word.pop_back();
    if (!word.empty()) words_.push_back(std::move(word));
    text.remove_prefix(end);
  }
}

const std::string& Scan::word(std::size_t index) const {
  if (index >= words_.size()) {
    throw Error("\"" + name_ + "\": expected " + std::to_string(index + 1) + " words or more");
  }
  return words_[index];
}

double Scan::number(std::size_t index) const {
  const std::string& text = word(index);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) {
    throw Error("\"" + name_ + "\": expected a number, got \"" + text + "\"");
  }
  return value;
}

std::uint64_t Scan::count(std::size_t index) const { return to_count(word(index), name_); }

std::uint64_t Scan::count_before(std::string_view word) const {
  for (std::size_t i = 1; i < words_.size(); ++i) {
    if (words_[i] == word) return count(i - 1);
  }
  throw Error("\"" + name_ + "\": there is no \"" + std::string(word) + "\"");
}

std::uint64_t Scan::count_in_brackets() const {
  for (const std::string& word : words_) {
    if (word.size() > 2 && word.front() == '(' && word.back() == ')') {
      return to_count(std::string_view(word).substr(1, word.size() - 2), name_);
    }
  }
  throw Error("\"" + name_ + "\": there is nothing in brackets");
}

}  // namespace archbench
