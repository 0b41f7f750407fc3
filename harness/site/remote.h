// Server and Generator on other hosts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/generators/generator.h"
#include "harness/servers/server.h"
#include "harness/site/link.h"

namespace archbench {

class RemoteServer : public Server {
 public:
  // `address` is where clients reach it.
  RemoteServer(Link& link, std::string address) : link_(link), address_(std::move(address)) {}

  std::string start(const Cell& cell, const ServerStart& how) override;
  std::vector<std::string> command() const override { return command_; }
  std::optional<CounterTotals> counters() override;
  double cpu_s() override;
  Census census() override;
  bool running() override;
  std::string program_sha256() override { return sha256_; }
  bool stop() override;
  std::vector<std::string> collect_raw_files() override;
  void abandon() noexcept override { link_.call_quietly("server.abandon"); }

 private:
  Link& link_;
  std::string address_;
  std::vector<std::string> command_;
  std::string sha256_;
  bool counts_ = false;
  std::filesystem::path raw_directory_;
};

// One load in equal parts on several hosts, as if it were one generator.
class RemoteGenerators : public Generator {
 public:
  RemoteGenerators(std::vector<std::unique_ptr<Link>>& hosts, Clock& clock)
      : hosts_(hosts), clock_(clock) {}

  void start(const Load& load) override;
  int threads() const override { return threads_; }
  std::vector<std::string> command() const override { return command_; }
  bool running() override;
  double cpu_s() override;
  std::vector<double> worker_cpu_s() override;
  GeneratorReport finish() override;
  std::vector<std::string> collect_raw_files() override;
  void abandon() noexcept override;

 private:
  std::vector<std::unique_ptr<Link>>& hosts_;
  Clock& clock_;
  std::vector<Link*> used_;  // of the load under way: as many as there are clients, at most
  int threads_ = 0;
  std::vector<std::string> command_;  // of the first host
  std::filesystem::path raw_directory_;
};

// What host `index` of `hosts` has of a load: its clients and its rate.
Load part_of(const Load& load, std::size_t index, std::size_t hosts);

// Several reports about parts of one load as one report of the whole: counts are added, latencies
// merged. Percentiles of those who keep neither a histogram nor buckets become absent.
GeneratorReport merged(const std::vector<GeneratorReport>& reports);

// Counts of equal latencies added.
Histogram merged(const Histogram& a, const Histogram& b);

}  // namespace archbench
