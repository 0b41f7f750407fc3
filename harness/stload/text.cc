#include "harness/stload/text.h"

#include <cmath>
#include <cstdio>

namespace stload {
namespace {

void group(std::string& digits) {
  for (auto place = static_cast<int>(digits.size()) - 3; place > 0; place -= 3) {
    digits.insert(static_cast<std::size_t>(place), 1, ',');
  }
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  group(digits);
  return digits;
}

std::string decimal(double number, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", digits, number);
  const std::string all = text;
  std::string whole = all.substr(0, all.find('.'));
  const std::string rest = all.substr(whole.size());
  group(whole);
  return whole + rest;
}

std::string brief(Duration time) {
  const double us = microseconds(time);
  const auto [value, unit] = us < 1e3   ? std::pair{us, " us"}
                             : us < 1e6 ? std::pair{us / 1e3, " ms"}
                                        : std::pair{us / 1e6, " s"};
  return decimal(value, value < 10 ? 2 : value < 100 ? 1 : 0) + unit;
}

}  // namespace stload
