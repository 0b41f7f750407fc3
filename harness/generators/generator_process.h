// What all drivers share: a load generator is a program that is started, ended and read.
#pragma once

#include <memory>

#include "harness/generators/generator.h"
#include "harness/os/subprocess.h"

namespace archbench {

class GeneratorProcess : public Generator {
 public:
  // `name` is what messages and raw files call it.
  GeneratorProcess(std::string name, std::filesystem::path program)
      : name_(std::move(name)), program_(std::move(program)) {}
  ~GeneratorProcess() override { abandon(); }

  void start(const Load& load) override;
  int threads() const override { return launch_.threads; }
  std::vector<std::string> command() const override { return launch_.command; }
  bool running() override { return child_ && !child_->ended(0); }
  double cpu_s() override;
  std::vector<double> worker_cpu_s() override;
  GeneratorReport finish() override;
  std::vector<std::string> collect_raw_files() override;
  void abandon() noexcept override;

 protected:
  struct Launch {
    std::vector<std::string> command;
    int threads = 1;
    std::vector<std::pair<std::string, std::string>> environment;
    // The signal upon which it ends and reports; 0: it knows when to end.
    int end_signal = 0;
    // Ends with this status although all went well; 0 is always well.
    int end_status = 0;
    // How long finish() waits for it. Seconds.
    double patience_s = 10;
  };

  // The two things that a driver knows.
  virtual Launch prepare(const Load& load) = 0;
  virtual GeneratorReport read_report(const Load& load) = 0;  // throws CellFailed

  const std::filesystem::path& program() const { return program_; }

  // A raw file of this cell: ".txt" (standard output), ".err", and what the driver adds.
  std::filesystem::path file(const std::string& end) const;

  // Threads for so many clients on so many CPUs: the largest divisor of `clients` up to `cpus`, for
  // generators that give every thread as many clients and open no others.
  static int even_threads(int clients, std::size_t cpus);

 private:
  std::string name_;
  std::filesystem::path program_;
  Load load_;
  Launch launch_;
  std::unique_ptr<Child> child_;
};

}  // namespace archbench
