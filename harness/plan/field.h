// Reading JSON that a person wrote: every complaint names the place and what was expected there.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace archbench {

// Parses `text`; a syntax error becomes an Error with `origin`, line and column.
nlohmann::json parse_json(const std::string& text, const std::string& origin);

// A value together with its place, as in "plans/x.json: clients[2]". Refers to the JSON it was made
// from, which must outlive it.
class Field {
 public:
  Field(const nlohmann::json& value, std::string origin)
      : value_(value), origin_(std::move(origin)) {}

  Field at(const std::string& name) const;                   // must be there
  std::optional<Field> find(const std::string& name) const;  // may be there
  std::vector<Field> items() const;                          // a list with at least one item
  void allow_only(std::initializer_list<std::string_view> names) const;

  std::string text() const;  // not empty
  std::string name() const;  // lower case letters, digits and hyphens
  bool boolean() const;
  int positive_integer() const;
  std::uint64_t unsigned_integer() const;
  double positive_number() const;
  double seconds(bool may_be_zero) const;
  const nlohmann::json& json() const { return value_; }

  // Throws "origin: place: expected ..., got ...".
  [[noreturn]] void expected(const std::string& what) const;
  [[noreturn]] void refuse(const std::string& sentence) const;

 private:
  Field(const nlohmann::json& value, std::string origin, std::string place)
      : value_(value), origin_(std::move(origin)), place_(std::move(place)) {}

  const nlohmann::json& value_;
  std::string origin_;
  std::string place_;
};

}  // namespace archbench
