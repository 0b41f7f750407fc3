// The command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/stload/address.h"
#include "harness/stload/arrivals.h"
#include "harness/stload/clock.h"
#include "harness/stload/mix.h"

namespace stload {

enum class Think { constant, exponential };

// Where a latency ends: when the kernel had the last byte of the answer, or when stload had read
// it.
enum class Until { arrived, read };

// 0: as fast as it goes.
struct Speed {
  std::uint64_t read_bytes_per_s = 0;
  std::uint64_t write_bytes_per_s = 0;
  bool limited() const { return read_bytes_per_s > 0 || write_bytes_per_s > 0; }
};

struct Options {
  Url url;
  std::vector<Address> addresses;  // taken in turn
  std::vector<WeightedPath> paths;

  int clients = 64;
  Duration duration = std::chrono::seconds(10);
  Duration warmup = std::chrono::seconds(1);
  Duration timeout = std::chrono::seconds(10);
  int processes = 1;
  bool spin = false;  // never sleep in the kernel
  std::uint64_t seed = 1;

  // At most one of the first two; none: a closed loop.
  std::optional<double> rate;             // per second, of all clients together
  std::optional<double> per_client_rate;  // per second
  Spacing arrivals = Spacing::poisson;
  Duration think_time{};  // the mean
  Think think_times = Think::constant;

  // With a rate, until it arrived, unless the command line says otherwise: such a load is for
  // latency. A closed loop is for throughput, and there the end of an answer is the begin of the
  // next request.
  Until latency_until = Until::read;

  bool connection_per_request = false;
  int idle = 0;
  int slow_clients = 0;  // 0 and a limited speed: all clients are slow
  Speed speed;

  bool check = false;
  std::optional<std::string> expected;  // the known body of the one path
  std::string mix_file;
  std::string json_file;
  std::vector<std::string> command;

  bool timed() const { return rate || per_client_rate; }
  long connections() const { return long{clients} + idle + slow_clients; }
  Speed speed_of_clients() const { return slow_clients > 0 ? Speed{} : speed; }
};

// Thrown when the command line is answered by text instead of load: --help, --version, mistakes.
struct Answered {
  int exit_code;     // 0: the text is for stdout; 2: one sentence for stderr
  std::string text;  // ends in a newline when for stdout
};

// Throws Answered, and Fatal when a file that it names cannot be read.
Options parse_options(int argc, const char* const* argv);

}  // namespace stload
