#include "harness/site/remote.h"

#include <algorithm>
#include <fstream>

#include "harness/error.h"
#include "harness/site/wire.h"

namespace archbench {
namespace {

using nlohmann::json;

// Long enough that every host has been told when to start: a round trip to each.
constexpr double kLead = 0.25;  // seconds

// To read a report of a million latencies, and to wait for answers under way.
constexpr double kFinishPatience = 60;

std::vector<std::string> keep(const json& files, const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& [name, content] : files.items()) {
    std::ofstream(folder / name) << content.get<std::string>();
    names.push_back(name);
  }
  return names;
}

}  // namespace

std::string RemoteServer::start(const Cell& cell, const ServerStart& how) {
  command_.clear();
  sha256_.clear();
  raw_directory_ = how.raw_directory;
  link_.connect();
  const json started = link_.call(
      "server.start",
      {{"cell", cell}, {"on", how.cpus}, {"file_stem", how.file_stem}, {"listen", "0.0.0.0"}});
  command_ = started.at("command");
  sha256_ = started.at("sha256");
  counts_ = started.at("counts");
  const std::string url = started.at("url");
  return "http://" + address_ + url.substr(url.rfind(':'));
}

std::optional<CounterTotals> RemoteServer::counters() {
  if (!counts_) return std::nullopt;
  return link_.call("server.counters").get<std::optional<CounterTotals>>();
}

double RemoteServer::cpu_s() { return link_.call("server.cpu"); }
Census RemoteServer::census() { return link_.call("server.census"); }
bool RemoteServer::running() { return link_.call("server.running"); }
bool RemoteServer::stop() { return link_.call("server.stop"); }

std::vector<std::string> RemoteServer::collect_raw_files() {
  if (!link_.up()) return {};
  return keep(link_.call("server.collect"), raw_directory_);
}

Load part_of(const Load& load, std::size_t index, std::size_t hosts) {
  const auto clients = static_cast<std::size_t>(load.clients);
  Load part = load;
  part.clients = static_cast<int>(clients / hosts + (index < clients % hosts ? 1 : 0));
  part.workload.rate = load.workload.rate * part.clients / load.clients;
  part.file_stem = load.file_stem + ".g" + std::to_string(index);
  return part;
}

void RemoteGenerators::start(const Load& load) {
  raw_directory_ = load.raw_directory;
  threads_ = 0;
  command_.clear();
  used_.clear();
  std::vector<double> ahead;
  const std::size_t hosts = std::min(hosts_.size(), static_cast<std::size_t>(load.clients));
  for (std::size_t i = 0; i < hosts; ++i) {
    hosts_[i]->connect();
    used_.push_back(hosts_[i].get());
    ahead.push_back(used_[i]->clock_ahead_s(clock_));
  }
  const double instant = clock_.now() + kLead;
  for (std::size_t i = 0; i < hosts; ++i) {
    used_[i]->ask("load.start", {{"load", part_of(load, i, hosts)}, {"at", instant + ahead[i]}});
  }
  double last = instant;
  for (std::size_t i = 0; i < hosts; ++i) {
    const json started = used_[i]->answer();
    last = std::max(last, started.at("started").get<double>() - ahead[i]);
    threads_ += started.at("threads").get<int>();
    if (i == 0) command_ = started.at("command").get<std::vector<std::string>>();
  }
  // The warm-up covers a small difference; a larger one would reach into the window.
  if (const double late = last - instant, most = std::max(0.05, load.warmup_s / 2); late > most) {
    throw CellFailed("the generators did not start together: the last one was " +
                     std::to_string(late) + " s late, and " + std::to_string(most) +
                     " s are allowed");
  }
}

bool RemoteGenerators::running() {
  return std::all_of(used_.begin(), used_.end(),
                     [](Link* host) { return host->call("load.running").get<bool>(); });
}

double RemoteGenerators::cpu_s() {
  double sum = 0;
  for (Link* host : used_) sum += host->call("load.cpu").get<double>();
  return sum;
}

std::vector<double> RemoteGenerators::worker_cpu_s() {
  std::vector<double> all;
  for (Link* host : used_) {
    for (const double worker : host->call("load.workers").get<std::vector<double>>()) {
      all.push_back(worker);
    }
  }
  return all;
}

GeneratorReport RemoteGenerators::finish() {
  for (Link* host : used_) host->ask("load.finish");
  std::vector<GeneratorReport> reports;
  for (Link* host : used_) reports.push_back(host->answer(kFinishPatience));
  return merged(reports);
}

std::vector<std::string> RemoteGenerators::collect_raw_files() {
  std::vector<std::string> names;
  for (Link* host : used_) {
    if (!host->up()) continue;
    for (std::string& name : keep(host->call("load.collect"), raw_directory_)) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

void RemoteGenerators::abandon() noexcept {
  for (Link* host : used_) host->call_quietly("load.abandon");
  used_.clear();
}

Histogram merged(const Histogram& a, const Histogram& b) {
  Histogram sum;
  for (auto left = a.begin(), right = b.begin(); left != a.end() || right != b.end();) {
    const bool take_left =
        right == b.end() || (left != a.end() && left->latency_us <= right->latency_us);
    const LatencyCount& next = take_left ? *left++ : *right++;
    if (!sum.empty() && sum.back().latency_us == next.latency_us) {
      sum.back().count += next.count;
    } else {
      sum.push_back(next);
    }
  }
  return sum;
}

namespace {

template <typename T>
void add(std::optional<T>& to, const std::optional<T>& more) {
  to = to && more ? std::optional<T>(*to + *more) : std::nullopt;
}

template <typename T, typename Pick>
void pick(std::optional<T>& to, const std::optional<T>& other, Pick better) {
  to = to && other ? std::optional<T>(better(*to, *other)) : std::nullopt;
}

// Means weighted by answers, percentiles from the buckets of both; without buckets there are none.
void merge(Latencies& to, double weight, const Latencies& other, double other_weight) {
  const double all = std::max(1.0, weight + other_weight);
  Latencies both;
  if (to.mean_us && other.mean_us) {
    both.mean_us = (*to.mean_us * weight + *other.mean_us * other_weight) / all;
  }
  if (to.max_us && other.max_us) both.max_us = std::max(*to.max_us, *other.max_us);
  if (!to.buckets.empty() && !other.buckets.empty()) {
    both.buckets = merged(to.buckets, other.buckets);
    both.p50_us = percentile_us(both.buckets, 0.5);
    both.p90_us = percentile_us(both.buckets, 0.9);
    both.p99_us = percentile_us(both.buckets, 0.99);
    both.p999_us = percentile_us(both.buckets, 0.999);
  }
  to = both;
}

}  // namespace

GeneratorReport merged(const std::vector<GeneratorReport>& reports) {
  GeneratorReport all = reports.at(0);
  const auto larger = [](auto a, auto b) { return std::max(a, b); };
  const auto smaller = [](auto a, auto b) { return std::min(a, b); };
  for (std::size_t i = 1; i < reports.size(); ++i) {
    const GeneratorReport& next = reports[i];
    const auto before = static_cast<double>(all.requests),
               more = static_cast<double>(next.requests);
    merge(all.latencies, before, next.latencies, more);
    merge(all.intended, before, next.intended, more);
    all.requests += next.requests;
    add(all.bytes, next.bytes);
    all.duration_s = std::max(all.duration_s, next.duration_s);
    all.errors_connect += next.errors_connect;
    all.errors_read += next.errors_read;
    all.errors_write += next.errors_write;
    all.errors_timeout += next.errors_timeout;
    all.errors_status += next.errors_status;
    all.latency = merged(all.latency, next.latency);
    add(all.latency_rps, next.latency_rps);
    pick(all.send_lag_us_p99, next.send_lag_us_p99, larger);
    pick(all.slowest_client_requests, next.slowest_client_requests, smaller);
    add(all.clients_served, next.clients_served);
    all.jain_index.reset();
    all.absent["jain_index"] = "each of several generators knows its own clients alone";
  }
  return all;
}

}  // namespace archbench
