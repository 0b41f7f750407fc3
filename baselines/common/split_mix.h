// SplitMix64 (Steele, Lea, Flood 2014): random numbers that are the same in every run.
#pragma once

#include <cstdint>

namespace baselines {

inline constexpr std::uint64_t kSplitMixStep = 0x9e3779b97f4a7c15;

// The output for one state, without the history; the state moves on by kSplitMixStep.
constexpr std::uint64_t split_mix(std::uint64_t state) {
  std::uint64_t z = state + kSplitMixStep;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace baselines
