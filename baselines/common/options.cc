#include "baselines/common/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

namespace baselines {
namespace {

// More processes, connections or queued clients than any machine of today has use for; the limit
// is there so that a slip of the finger is told apart from a wish.
constexpr long kMostCpus = 1024;
constexpr long kMostWorkers = 65536;  // kCountersSlots
constexpr long kMostConnections = 1L << 30;
constexpr long kMostBacklog = 1L << 20;
constexpr double kLongestTimeout = 86400;  // a day

[[noreturn]] void reject(const std::string& option, const std::string& value,
                         const std::string& expected, const std::string& example) {
  throw Answered{2, option + " '" + value + "': expected " + expected + ", for example " + option +
                        " " + example};
}

template <class T>
std::optional<T> parse(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

long whole_number(const std::string& option, const std::string& text, long low, long high,
                  const std::string& example) {
  const std::optional<long> value = parse<long>(text);
  if (!value || *value < low || *value > high) {
    reject(option, text,
           "a whole number from " + std::to_string(low) + " to " + std::to_string(high), example);
  }
  return *value;
}

struct HostPort {
  std::string host;
  std::uint16_t port;
};

HostPort parse_host_port(const std::string& option, const std::string& text,
                         std::uint16_t lowest_port, const std::string& example) {
  const std::size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);  // [::1]:8080
  } else if (host.find(':') != std::string::npos) {
    host.clear();  // an IPv6 address without brackets: the last colon could be anything
  }
  const std::optional<std::uint16_t> port =
      colon == std::string::npos ? std::nullopt : parse<std::uint16_t>(text.substr(colon + 1));
  if (host.empty() || !port || *port < lowest_port) {
    reject(option, text,
           "ADDRESS:PORT with a port from " + std::to_string(lowest_port) + " to 65535", example);
  }
  return {host, *port};
}

std::chrono::nanoseconds parse_timeout(const std::string& text) {
  const std::optional<double> seconds = parse<double>(text);
  // A millisecond is a quarter of what the coarse clock can tell; less would only mislead.
  if (!seconds || !std::isfinite(*seconds) || *seconds < 0.001 || *seconds > kLongestTimeout) {
    reject("--idle-timeout", text, "seconds from 0.001 to 86400", "2.5");
  }
  return std::chrono::round<std::chrono::nanoseconds>(std::chrono::duration<double>(*seconds));
}

template <class Names>
std::string listed(const Names& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

std::vector<std::string> names_of(std::span<const Model> models) {
  std::vector<std::string> names;
  for (const Model& model : models) names.emplace_back(model.name);
  return names;
}

const Model* find_model(const std::string& name, const Program& program) {
  for (const Model& model : program.models) {
    if (name == model.name) return &model;
  }
  reject("--model", name, "one of: " + listed(names_of(program.models)), program.models[0].name);
}

std::string footer(const Program& program, const std::string& name) {
  std::string text = "\nModels (the first is the default):\n";
  for (const Model& model : program.models) {
    text += "  " + std::string(model.name) + std::string(11 - std::string(model.name).size(), ' ') +
            model.sentence + "\n";
  }
  return text + "\nExamples:\n  " + name + "\n  " + name +
         " --listen 0.0.0.0:80 --docroot /srv/www\n  " + name + " --listen 127.0.0.1:0 --model " +
         program.models.back().name +
         " --cpus 2 --counters /tmp/counters\n\nStdout carries one JSON line when the server "
         "listens "
         "and one when it has ended;\nSIGTERM ends it. An option given twice counts as it was "
         "given "
         "last.";
}

void declare(CLI::App& app, const Program& program, Options& options) {
  const auto add = [&app](const std::string& name, const char* type, const std::string& text,
                          const std::function<void(const std::string&)>& take) {
    app.add_option_function<std::string>(name, take, text)
        ->type_name(type)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  };
  add("--listen", "ADDR:PORT", "where to listen; port 0 picks a free one [127.0.0.1:8080]",
      [&](const std::string& text) {
        const HostPort given = parse_host_port("--listen", text, 0, "127.0.0.1:8080");
        options.host = given.host;
        options.port = given.port;
      });
  add("--model", "NAME", "how the architecture is built: see below",
      [&](const std::string& text) { options.model = find_model(text, program); });
  const auto choose = [&add](const std::string& name, const std::string& what,
                             std::span<const char* const> values, std::string& chosen) {
    if (values.empty()) return;
    chosen = values[0];
    add(name, "NAME", what + ": " + listed(values) + " [the first]",
        [name, values, &chosen](const std::string& text) {
          if (std::find(values.begin(), values.end(), text) == values.end()) {
            reject(name, text, "one of: " + listed(values), values[0]);
          }
          chosen = text;
        });
  };
  choose("--event", "event mechanism", program.events, options.event);
  choose("--accept", "how the processes of a pool share the port", program.accepts, options.accept);
  add("--cpus", "N",
      "serve with the first N of the CPUs that this process may use; an architecture with a "
      "process for each CPU starts N of them [one process, any CPU]",
      [&](const std::string& text) {
        options.cpus = static_cast<int>(whole_number("--cpus", text, 1, kMostCpus, "2"));
      });
  add("--workers", "N", "size of a pool, in models that have one [the model's own]",
      [&](const std::string& text) {
        options.workers = static_cast<int>(whole_number("--workers", text, 1, kMostWorkers, "64"));
      });
  add("--backlog", "N",
      "connections that may wait to be accepted, for each listening socket [4096]",
      [&](const std::string& text) {
        options.backlog =
            static_cast<int>(whole_number("--backlog", text, 1, kMostBacklog, "4096"));
      });
  add("--docroot", "DIR", "the folder behind /file/ [none]",
      [&](const std::string& text) { options.docroot = text; });
  add("--disk-file", "FILE", "the file behind /disk/, as make_disk_file makes it [none]",
      [&](const std::string& text) { options.disk_file = text; });
  add("--origin", "HOST:PORT", "the server behind /proxy/ [none]", [&](const std::string& text) {
    const HostPort given = parse_host_port("--origin", text, 1, "127.0.0.1:8081");
    options.origin_host = given.host;
    options.origin_port = given.port;
  });
  add("--idle-timeout", "SEC", "how long a client may keep a connection waiting [60]",
      [&](const std::string& text) { options.idle_timeout = parse_timeout(text); });
  add("--max-connections", "N", "more clients than this at once are answered 503 [no limit]",
      [&](const std::string& text) {
        options.max_connections = static_cast<std::size_t>(
            whole_number("--max-connections", text, 1, kMostConnections, "10000"));
      });
  add("--counters", "FILE", "a file to create and map, in which the server counts while it runs",
      [&](const std::string& text) { options.counters = text; });
}

}  // namespace

std::string Options::listen() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Options parse_options(int argc, const char* const* argv, const Program& program) {
  const std::string path = argv[0];
  const std::string name = path.substr(path.rfind('/') + 1);
  Options options;
  options.model = &program.models[0];

  CLI::App app(program.sentence, name);
  app.set_version_flag("--version", name + " " BASELINES_VERSION);
  app.footer(footer(program, name));
  declare(app, program, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    throw Answered{0, app.help()};
  } catch (const CLI::CallForVersion& version) {
    throw Answered{0, std::string(version.what()) + "\n"};
  } catch (const CLI::ParseError& error) {
    // CLI11 names the argument; whoever stands at the keyboard also needs the way out.
    throw Answered{2, std::string(error.what()) + "; '" + name + " --help' lists what there is"};
  }
  return options;
}

}  // namespace baselines
