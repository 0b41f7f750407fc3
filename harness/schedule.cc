#include "harness/schedule.h"

#include <cmath>
#include <utility>

namespace archbench {

std::uint64_t SplitMix64::next() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::uint64_t SplitMix64::below(std::uint64_t limit) {
  const std::uint64_t surplus =
      (0 - limit) % limit;  // 2^64 mod limit: draws below it are drawn again
  for (;;) {
    const std::uint64_t draw = next();
    if (draw >= surplus) return draw % limit;
  }
}

Schedule make_schedule(const Plan& plan, std::uint64_t seed, int machine_cpus) {
  Schedule schedule;
  std::vector<Cell> all;
  for (const ServerSpec& server : plan.servers) {
    for (const Workload& workload : plan.workloads) {
      for (const int cpus : plan.cpus) {
        const bool first = cpus == plan.cpus.front();
        const auto& clients =
            first || plan.system_clients.empty() ? plan.clients : plan.system_clients;
        for (const int count : clients) {
          if (cpus > machine_cpus) {
            ++schedule.left_out;
          } else {
            all.push_back({server, workload, count, cpus});
          }
        }
      }
    }
  }
  schedule.cells_per_block = static_cast<int>(all.size());

  SplitMix64 random(seed);
  for (int block = 0; block < plan.blocks; ++block) {
    std::vector<Cell> order = all;
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i].block = block;
      order[i].order = static_cast<int>(i);
      schedule.cells.push_back(std::move(order[i]));
    }
  }
  return schedule;
}

double expected_seconds(const Plan& plan, std::size_t cells) {
  // Starting and stopping both programs, two looks at the body, two censuses: seen on two cores.
  constexpr double kBesideTheWindow = 0.4;
  return static_cast<double>(cells) * (plan.warmup_seconds + plan.seconds + kBesideTheWindow);
}

std::string spoken_time(double seconds) {
  const long total = std::lround(seconds);
  if (total < 60) return std::to_string(total) + " s";
  if (total < 3600) {
    return std::to_string(total / 60) + " min " + std::to_string(total % 60) + " s";
  }
  return std::to_string(total / 3600) + " h " + std::to_string(total % 3600 / 60) + " min";
}

}  // namespace archbench
