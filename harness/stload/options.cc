#include "harness/stload/options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <functional>

#include "harness/stload/error.h"
#include "harness/version.h"

namespace stload {
namespace {

// Limits only tell a slip of the finger from a wish.
constexpr long kMostClients = 10'000'000;
constexpr long kMostProcesses = 1024;
constexpr double kLongest = 7 * 86400.0;  // a week
constexpr double kHighestRate = 1e9;
constexpr long kFastestSlow = 1'000'000'000;

constexpr const char* kFooter = R"(
Without --rate and --per-client-rate the loop is closed: a client asks again when it has its answer.
While the server stalls nobody asks, so such a run hides stalls.

A latency begins, with a rate, when the request was due, whatever the server did meanwhile; in a
closed loop when stload began to send it (or to connect). It ends, with a rate, when the last byte of
the answer had come to this machine, as the kernel stamped it; in a closed loop when stload had read
it (--latency-until). All times are on the monotonic clock.

Examples:
  stload http://127.0.0.1:8080/bytes/1024
  stload --clients 1000 --rate 20000 --duration 30 --json run.json http://127.0.0.1:8080/plaintext
  stload --clients 400 --per-client-rate 2.5 --mix specweb.json http://127.0.0.1:8080
  stload --clients 64 --idle 10000 --check http://127.0.0.1:8080/bytes/1024
  stload --clients 100000 --processes 6 --addresses 127.0.0.1-127.0.0.8 http://127.0.0.1:8080/

Exit status: 0 measured, 1 not (no answer at all, a wrong body, a limit reached), 2 misuse. The
first SIGINT or SIGTERM ends the measurement early and reports it; a second one waits for no answer.)";

[[noreturn]] void reject(const std::string& option, const std::string& value,
                         const std::string& expected, const std::string& example) {
  throw Answered{2, option + " '" + value + "': expected " + expected + ", for example " + option +
                        " " + example};
}

[[noreturn]] void misuse(const std::string& text) { throw Answered{2, text}; }

template <class T>
T number(const std::string& option, const std::string& text, T low, T high, const std::string& what,
         const std::string& example) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // Written so that NaN is refused as well.
  if (error != std::errc() || end != text.data() + text.size() ||
      !(value >= low && value <= high)) {
    reject(option, text, what, example);
  }
  return value;
}

class Declaration {
 public:
  Declaration(CLI::App& app, Options& options) : app_(app), options_(options) {
    declare_size();
    declare_timing();
    declare_kinds();
    declare_asking();
  }

 private:
  using Take = std::function<void(const std::string& option, const std::string& text)>;

  void add(const std::string& name, const char* type, const std::string& text, const Take& take) {
    app_.add_option_function<std::string>(
            name, [name, take](const std::string& value) { take(name, value); }, text)
        ->type_name(type)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }

  template <class T>
  void whole(const std::string& name, const std::string& text, T& into, long low, long high,
             const std::string& example, const char* type = "N") {
    add(name, type, text, [&into, low, high, example](const auto& option, const auto& value) {
      into = static_cast<T>(number<long>(
          option, value, low, high,
          "a whole number from " + std::to_string(low) + " to " + std::to_string(high), example));
    });
  }

  void time(const std::string& name, const std::string& text, Duration& into, double low,
            const std::string& example) {
    add(name, "SEC", text, [&into, low, example](const auto& option, const auto& value) {
      into = from_seconds(number<double>(
          option, value, low, kLongest,
          std::string("seconds from ") + (low == 0 ? "0" : "0.001") + " to 604800", example));
    });
  }

  void rate(const std::string& name, const std::string& text, std::optional<double>& into,
            const std::string& example) {
    add(name, "R", text, [&into, example](const auto& option, const auto& value) {
      into = number<double>(option, value, 1e-6, kHighestRate,
                            "requests per second, more than 0 and at most 1000000000", example);
    });
  }

  template <class T>
  void choice(const std::string& name, const std::string& text, T& into, const char* first,
              const char* second) {
    add(name, "NAME", text, [&into, first, second](const auto& option, const auto& value) {
      if (value != first && value != second) {
        reject(option, value, std::string(first) + " or " + second, first);
      }
      into = value == first ? T{0} : T{1};
    });
  }

  void declare_size() {
    whole("--clients", "simulated clients, one connection and one state thread each [64]",
          options_.clients, 1, kMostClients, "1000");
    whole("--processes", "share the clients among so many processes; results are merged [1]",
          options_.processes, 1, kMostProcesses, "2");
    app_.add_flag(
        "--spin", options_.spin,
        "never sleep: takes a whole CPU for each process, and what waking up costs out of "
        "the latencies");
    time("--duration", "how long to measure [10]", options_.duration, 1e-3, "30");
    time("--warmup", "load before that which is not measured [1]", options_.warmup, 0, "2.5");
    time("--timeout", "how long after it was sent a request may go unanswered [10]",
         options_.timeout, 1e-3, "2");
    whole("--seed", "for everything that is random [1]", options_.seed, 0, (1L << 53), "42");
  }

  void declare_timing() {
    rate("--rate", "open loop: requests per second of all clients together", options_.rate, "5000");
    rate("--per-client-rate", "paced: requests per second of each client", options_.per_client_rate,
         "2.5");
    static_assert(static_cast<int>(Spacing::constant) == 0 &&
                  static_cast<int>(Think::constant) == 0);
    choice("--arrivals", "how they are spaced: constant or poisson [poisson]", options_.arrivals,
           "constant", "poisson");
    time("--think-time", "closed loop: wait on average so long before the next request [0]",
         options_.think_time, 0, "0.5");
    choice("--think-times", "how these are spread: constant or exponential [constant]",
           options_.think_times, "constant", "exponential");
    static_assert(static_cast<int>(Until::arrived) == 0);
    choice("--latency-until",
           "where a latency ends: when the answer had arrived, by the kernel's time stamp, or when "
           "stload had read it: arrived or read [arrived with a rate, else read]",
           options_.latency_until, "arrived", "read");
  }

  void declare_kinds() {
    app_.add_flag("--connection-per-request", options_.connection_per_request,
                  "close after each answer; latency then includes connecting");
    whole("--idle", "connections that ask once and are then held, beside the clients [0]",
          options_.idle, 0, kMostClients, "10000");
    whole("--slow-clients", "further clients that are slow [0: with a slow speed all are]",
          options_.slow_clients, 0, kMostClients, "100");
    whole("--slow-read", "read answers only so fast, with a small receive window",
          options_.speed.read_bytes_per_s, 1, kFastestSlow, "1000", "BYTES_PER_S");
    whole("--slow-write", "write requests only so fast", options_.speed.write_bytes_per_s, 1,
          kFastestSlow, "10", "BYTES_PER_S");
  }

  void declare_asking() {
    add("--mix", "FILE", "weighted paths (JSON) instead of the URL's path",
        [this](const auto&, const auto& text) { options_.mix_file = text; });
    add("--addresses", "FIRST-LAST",
        "IPv4 addresses of the server, taken in turn: each gives one local port range more",
        [this](const auto&, const auto& text) { addresses_ = text; });
    app_.add_flag("--check", options_.check,
                  "every body must be the one that was fetched before the load");
    add("--expect", "FILE", "every body must be the content of this file (implies --check)",
        [this](const auto&, const auto& text) { expected_file_ = text; });
    add("--json", "FILE", "write the whole report there (results/schema/stload.schema.json)",
        [this](const auto&, const auto& text) { options_.json_file = text; });
    app_.add_option("URL", url_, "http://ADDR[:PORT][/PATH]")->required()->type_name("");
  }

 public:
  // What cannot be seen in one option alone.
  void conclude() {
    try {
      options_.url = parse_url(url_);
    } catch (const std::invalid_argument& expected) {
      misuse("URL '" + url_ + "': expected " + expected.what() +
             ", for example http://127.0.0.1:8080/");
    }
    check_combinations();
    if (app_.count("--latency-until") == 0) {
      options_.latency_until = options_.timed() ? Until::arrived : Until::read;
    }
    if (addresses_.empty()) {
      options_.addresses = {resolve(options_.url.host, options_.url.port)};
    } else {
      try {
        options_.addresses = parse_addresses(addresses_, options_.url.port);
      } catch (const std::invalid_argument& expected) {
        reject("--addresses", addresses_, expected.what(), "127.0.0.1-127.0.0.8");
      }
    }
    options_.paths = options_.mix_file.empty() ? std::vector<WeightedPath>{{options_.url.path, 1}}
                                               : load_mix(options_.mix_file);
    if (!expected_file_.empty()) {
      options_.check = true;
      options_.expected = read_file(expected_file_);
    }
  }

 private:
  void check_combinations() const {
    if (options_.rate && options_.per_client_rate) {
      misuse("--rate and --per-client-rate exclude each other: the rate of all or of each");
    }
    if (options_.timed() && options_.think_time.count() > 0) {
      misuse("--think-time is for a closed loop: with a rate, requests are due by the clock");
    }
    if (!options_.timed() && app_.count("--arrivals") > 0) {
      misuse("--arrivals needs --rate or --per-client-rate");
    }
    if (options_.think_time.count() == 0 && app_.count("--think-times") > 0) {
      misuse("--think-times needs --think-time");
    }
    if (options_.slow_clients > 0 && !options_.speed.limited()) {
      misuse("--slow-clients needs --slow-read or --slow-write, which say how slow");
    }
    if (!expected_file_.empty() && !options_.mix_file.empty()) {
      misuse("--expect is the body of one path; with --mix, use --check");
    }
    if (options_.processes > options_.clients) {
      misuse("--processes " + std::to_string(options_.processes) + ": each needs a client, and " +
             "there are " + std::to_string(options_.clients));
    }
  }

  CLI::App& app_;
  Options& options_;
  std::string url_, addresses_, expected_file_;
};

}  // namespace

Options parse_options(int argc, const char* const* argv) {
  Options options;
  options.command.assign(argv, argv + argc);
  CLI::App app("Loads an HTTP server and says what its clients saw. One state thread per client.",
               "stload");
  app.set_version_flag("--version", std::string("stload ") + archbench::kVersion);
  app.footer(kFooter);
  Declaration declaration(app, options);
  try {
    app.parse(argc, argv);
    declaration.conclude();
  } catch (const CLI::CallForHelp&) {
    throw Answered{0, app.help()};
  } catch (const CLI::CallForVersion& version) {
    throw Answered{0, std::string(version.what()) + "\n"};
  } catch (const CLI::ParseError& error) {
    throw Answered{2, std::string(error.what()) + "; 'stload --help' lists what there is"};
  }
  return options;
}

}  // namespace stload
