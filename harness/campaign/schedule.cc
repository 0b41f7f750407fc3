#include "harness/campaign/schedule.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

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

namespace {

// Clients and CPU counts that a workload is crossed with: (cpus, clients).
std::vector<std::pair<int, int>> loads(const Plan& plan, const Workload& workload) {
  const auto& own = workload.clients;
  std::vector<int> cpus = workload.cpus.empty() ? plan.cpus : workload.cpus;
  if (workload.cpus.empty() && !own.empty()) cpus.resize(1);
  std::vector<std::pair<int, int>> all;
  for (const int count : cpus) {
    const bool first = count == cpus.front();
    const auto& usual = first || plan.system_clients.empty() ? plan.clients : plan.system_clients;
    for (const int clients : own.empty() ? usual : own) all.emplace_back(count, clients);
  }
  return all;
}

bool asks(const Workload& workload, const ServerSpec& server) {
  const auto& labels = workload.labels;
  const auto named = [&](const std::string& label) {
    return std::find(labels.begin(), labels.end(), label) != labels.end();
  };
  return labels.empty() || named(server.label) ||
         (!server.twin_of.empty() && named(server.twin_of));
}

// What is fetched from an origin, computed, read from a disk or offered at a rate has its limit
// elsewhere, and custom servers' paths are their own.
bool has_ceiling(const Workload& workload) {
  return !workload.origin && workload.rate == 0 && workload.server_options.empty() &&
         workload.generator_options.empty() &&
         (workload.path.starts_with("/bytes/") || workload.path.starts_with("/file/") ||
          workload.path == "/plaintext");
}

template <class T>
void shuffle(std::vector<T>& items, SplitMix64& random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

// The cells of each load of each workload.
using Loads = std::vector<std::vector<Cell>>;
using Workloads = std::vector<Loads>;

std::vector<Cell> random_order(Workloads workloads, SplitMix64& random) {
  std::vector<Cell> order;
  shuffle(workloads, random);
  for (Loads& loads : workloads) {
    shuffle(loads, random);
    for (std::vector<Cell>& cells : loads) {
      shuffle(cells, random);
      std::move(cells.begin(), cells.end(), std::back_inserter(order));
    }
  }
  return order;
}

void append(Schedule& schedule, std::vector<Cell> cells, int block, int first_order) {
  for (Cell& cell : cells) {
    cell.block = block;
    cell.order = first_order++;
    schedule.cells.push_back(std::move(cell));
  }
}

}  // namespace

Schedule make_schedule(const Plan& plan, std::uint64_t seed, int machine_cpus) {
  Schedule schedule;
  Workloads all;
  std::vector<Cell> ceilings;
  for (const Workload& workload : plan.workloads) {
    Loads& of_workload = all.emplace_back();
    for (const auto& [cpus, clients] : loads(plan, workload)) {
      std::vector<Cell>& cells = of_workload.emplace_back();
      for (const ServerSpec& server : plan.servers) {
        if (!asks(workload, server)) continue;
        if (cpus > machine_cpus) {
          ++schedule.left_out;
        } else {
          cells.push_back({server, workload, clients, cpus});
          ++schedule.cells_per_block;
        }
      }
    }
  }
  for (const Workload& workload : plan.workloads) {
    if (!plan.ceiling || !has_ceiling(workload)) continue;
    for (const auto& [cpus, clients] : loads(plan, workload)) {
      if (cpus <= machine_cpus) ceilings.push_back({ceiling_server(), workload, clients, cpus});
    }
  }
  schedule.ceiling_cells = static_cast<int>(ceilings.size());

  SplitMix64 random(seed);
  for (int block = 0; block < plan.blocks; ++block) {
    std::vector<Cell> order = random_order(all, random);
    if (block > 0 || ceilings.empty()) {
      append(schedule, std::move(order), block, 0);
      continue;
    }
    // The ceilings have a generator of their own: with them or without, the blocks are the same.
    SplitMix64 apart(seed + 1);
    shuffle(ceilings, apart);
    append(schedule, std::move(ceilings), 0, 0);
    append(schedule, std::move(order), 0, schedule.ceiling_cells);
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
