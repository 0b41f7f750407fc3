// Public header, part of st.hpp. What can be read into and written from.
#pragma once

#include <concepts>
#include <cstddef>
#include <ranges>
#include <string_view>
#include <type_traits>

namespace st {

namespace detail {
template <class T>
concept byte_like = std::same_as<T, std::byte> || std::same_as<T, char> ||
    std::same_as<T, unsigned char> || std::same_as<T, signed char>;
template <class Range>
concept bytes_range = std::ranges::contiguous_range<Range> && std::ranges::sized_range<Range> &&
    byte_like<std::remove_cv_t<std::remove_reference_t<std::ranges::range_reference_t<Range>>>>;
template <class T>
concept text_array = std::is_array_v<T> && std::same_as < std::remove_extent_t<T>,
char > ;
}  // namespace detail

// To be written: text, or a std::span, std::vector, std::array ... of bytes or characters. A plain
// array of characters counts as text, up to its zero.
class bytes {
 public:
  bytes(const char* text) : bytes(std::string_view(text)) {}
  template <detail::bytes_range Range>
  requires(!detail::text_array<std::remove_cvref_t<Range>>) bytes(Range&& range)
      : data_(std::ranges::data(range)), size_(std::ranges::size(range)) {}

  const void* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  const void* data_;
  std::size_t size_;
};

// To be read into: all of an array, a std::span, a std::string ... whose elements may change.
class buffer {
 public:
  buffer(void* data, std::size_t size) : data_(data), size_(size) {}
  template <detail::bytes_range Range>
  requires(!std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<Range>>>)
      buffer(Range&& range)
      : data_(std::ranges::data(range)), size_(std::ranges::size(range)) {}

  void* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  void* data_;
  std::size_t size_;
};

}  // namespace st
