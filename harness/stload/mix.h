// What is asked for: one path, or many with weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace stload {

struct WeightedPath {
  std::string path;
  double weight;  // relative to the others
};

// Reads a mix (README.md has the form). Throws Fatal with one sentence that names the place.
std::vector<WeightedPath> load_mix(const std::filesystem::path& file);

// The same for text that has been read already; `origin` is how messages call it.
std::vector<WeightedPath> parse_mix(const std::string& text, const std::string& origin);

// Picks numbers with given weights in constant time: Walker's alias method in Vose's form. Every
// slot has the same probability and holds at most two numbers.
class Picker {
 public:
  explicit Picker(const std::vector<WeightedPath>& paths);

  std::size_t pick(std::mt19937_64& random) const {
    if (slots_.size() == 1) return 0;
    const double where =
        std::uniform_real_distribution<double>(0, static_cast<double>(slots_.size()))(random);
    const auto slot = std::min(static_cast<std::size_t>(where), slots_.size() - 1);
    return where - static_cast<double>(slot) < slots_[slot].share ? slot : slots_[slot].other;
  }

 private:
  struct Slot {
    double share = 1;  // of this slot that is its own number
    std::size_t other = 0;
  };
  std::vector<Slot> slots_;
};

}  // namespace stload
