#include "harness/plan/field.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/error.h"

namespace archbench {

using nlohmann::json;

json parse_json(const std::string& text, const std::string& origin) {
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    // error.byte counts from 1 and points behind the last byte that was read.
    const std::size_t end = std::min(error.byte > 0 ? error.byte - 1 : 0, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<long>(end), '\n');
    const std::size_t newline = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
    const std::size_t column = newline == std::string::npos ? end + 1 : end - newline;
    std::string reason = error.what();
    // "[json.exception...] parse error at line 1, column 2: syntax error ..." - keep the last part.
    if (const auto cut = reason.find(": "); cut != std::string::npos) reason.erase(0, cut + 2);
    throw Error(origin + ": line " + std::to_string(line) + ", column " + std::to_string(column) +
                ": not JSON: " + reason);
  }
}

Field Field::at(const std::string& name) const {
  if (auto field = find(name)) return *field;
  refuse("the field \"" + name + "\" is missing");
}

std::optional<Field> Field::find(const std::string& name) const {
  if (!value_.is_object()) expected("an object");
  const auto found = value_.find(name);
  if (found == value_.end()) return std::nullopt;
  return Field(*found, origin_, place_.empty() ? name : place_ + "." + name);
}

std::vector<Field> Field::items() const {
  if (!value_.is_array() || value_.empty()) expected("a list with at least one item");
  std::vector<Field> fields;
  for (std::size_t i = 0; i < value_.size(); ++i) {
    fields.push_back(Field(value_[i], origin_, place_ + "[" + std::to_string(i) + "]"));
  }
  return fields;
}

void Field::allow_only(std::initializer_list<std::string_view> names) const {
  if (!value_.is_object()) expected("an object");
  for (const auto& [key, ignored] : value_.items()) {
    if (std::find(names.begin(), names.end(), key) != names.end()) continue;
    std::string sentence = "unknown field \"";
    sentence.append(key).append("\"; known are");
    for (const auto name : names) {
      sentence.append(name == *names.begin() ? " " : ", ").append(name);
    }
    refuse(sentence);
  }
}

std::string Field::text() const {
  if (!value_.is_string() || value_.get_ref<const std::string&>().empty()) {
    expected("a text that is not empty");
  }
  return value_.get<std::string>();
}

std::string Field::name() const {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  std::string value = value_.is_string() ? value_.get<std::string>() : "";
  if (value.empty() || !is_letter(value.front()) ||
      !std::all_of(value.begin(), value.end(), [&](char c) { return is_letter(c) || c == '-'; })) {
    expected("a name of lower case letters, digits and hyphens");
  }
  return value;
}

bool Field::boolean() const {
  if (!value_.is_boolean()) expected("true or false");
  return value_.get<bool>();
}

int Field::positive_integer() const {
  if (!value_.is_number_integer()) expected("a positive integer");
  if (value_.is_number_unsigned() &&
      value_.get<std::uint64_t>() > std::numeric_limits<int>::max()) {
    expected("a positive integer below 2147483648");
  }
  if (value_.get<std::int64_t>() < 1) expected("a positive integer");
  return value_.get<int>();
}

std::uint64_t Field::unsigned_integer() const {
  if (!value_.is_number_unsigned()) expected("an integer that is not negative");
  return value_.get<std::uint64_t>();
}

double Field::positive_number() const {
  if (!value_.is_number() || !(value_.get<double>() > 0)) expected("a number above 0");
  return value_.get<double>();
}

double Field::seconds(bool may_be_zero) const {
  constexpr double kDay = 86400;  // longer is surely a slip of the pen
  const char* what = may_be_zero ? "seconds, from 0 to 86400" : "seconds, more than 0, up to 86400";
  if (!value_.is_number()) expected(what);
  const auto value = value_.get<double>();
  if (!std::isfinite(value) || value < 0 || value > kDay || (!may_be_zero && value == 0)) {
    expected(what);
  }
  return value;
}

void Field::expected(const std::string& what) const {
  std::string got = value_.dump();
  if (got.size() > 60) got = got.substr(0, 57) + "...";  // enough to recognise it
  refuse("expected " + what + ", got " + got);
}

void Field::refuse(const std::string& sentence) const {
  throw Error(origin_ + ": " + (place_.empty() ? "" : place_ + ": ") + sentence);
}

}  // namespace archbench
