// The report as a screen of text.
#include <sstream>

#include "harness/stload/percentile.h"
#include "harness/stload/report.h"
#include "harness/stload/text.h"
#include "harness/version.h"

namespace stload {
namespace {

// "mean 1.2 ms, p50 1.1 ms, ..., max 9 ms", and a line for each percentile that is withheld.
std::string describe(const Histogram& values, std::uint64_t unanswered) {
  if (values.count() == 0) return "none\n";
  std::string text = "mean " + brief(values.mean());
  std::string withheld;
  for (const Percentile& which : kPercentiles) {
    const PercentileValue value = percentile(values, unanswered, which);
    if (value.value) {
      text += std::string(", ") + which.title + " " + brief(*value.value);
    } else {
      withheld +=
          std::string("              ") + which.title + " withheld: " + value.withheld + "\n";
    }
  }
  return text + ", max " + brief(values.max()) + "\n" + withheld;
}

std::string megabytes_per_s(std::uint64_t bytes, Duration time) {
  return decimal(static_cast<double>(bytes) / 1e6 / seconds(time), 1) + " MB/s";
}

// Names the kinds that happened, each with what the first one said.
std::string failures(const Tally& tally) {
  std::string text;
  for (std::size_t i = 0; i < kFailures; ++i) {
    const std::uint64_t inside = tally.window.errors[i], all = tally.run.errors[i];
    if (all == 0) continue;
    text += "  failed      " + std::string(kFailureNames[i]) + " " + grouped(inside);
    if (all != inside) text += " (" + grouped(all) + " in the whole run)";
    if (tally.said[i][0] != 0) text += ": " + std::string(tally.said[i].data());
    text += "\n";
  }
  return text;
}

std::string statuses(const Counts& counts) {
  std::string text;
  for (std::size_t status = 100; status < counts.statuses.size(); ++status) {
    if (counts.statuses[status] == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(status) + " " +
            grouped(counts.statuses[status]);
  }
  return text.empty() ? "none" : text;
}

void describe_clients(std::ostream& out, const Options& options, const Outcome& outcome) {
  const Tally& tally = outcome.tally;
  const Fairness fair = fairness(outcome);
  out << "  clients     " << grouped(fair.served) << " of " << grouped(outcome.clients.size())
      << " served, " << grouped(fair.least) << " to " << grouped(fair.most) << " answers each";
  if (fair.served > 0) out << ", Jain's index " << decimal(fair.jain_index, 4);
  out << "\n";
  if (options.per_client_rate) {
    out << "  capacity    " << grouped(fair.on_pace) << " clients got "
        << decimal(100 * kOnPaceShare, 0) << " % or more of what was due for them in time\n";
  }
  if (options.idle > 0) {
    out << "  idle        " << grouped(tally.idle_open) << " of "
        << grouped(static_cast<std::uint64_t>(options.idle)) << " connections held at the end, "
        << grouped(tally.idle_closed_by_server) << " closed by the server\n";
  }
  if (options.slow_clients > 0) {
    out << "  slow        " << grouped(tally.slow.answers) << " answers to "
        << grouped(options.slow_clients) << " slow clients\n";
  }
}

void describe_generator(std::ostream& out, const Options& options, const Outcome& outcome) {
  const Tally& tally = outcome.tally;
  const double cpu = seconds(tally.window_cpu.user + tally.window_cpu.system);
  out << "  generator   " << decimal(cpu, 2) << " s CPU in " << options.processes
      << (options.processes == 1 ? " process" : " processes");
  if (tally.completed > 0) {
    out << ", " << decimal(1e6 * cpu / static_cast<double>(tally.completed), 2) << " us per answer";
  }
  out << ", busiest " << decimal(100 * tally.busiest_share, 0) << " % of a CPU\n";
}

}  // namespace

std::string load_title(const Options& options) {
  const char* spacing = options.arrivals == Spacing::constant ? "constant" : "poisson";
  if (options.rate) {
    return std::string("open loop, ") + spacing + " arrivals at " + decimal(*options.rate, 1) +
           " /s";
  }
  if (options.per_client_rate) {
    return std::string("paced, ") + spacing + " arrivals at " +
           decimal(*options.per_client_rate, 3) + " /s for each client";
  }
  std::string title = "closed loop";
  if (options.think_time.count() > 0) {
    title += options.think_times == Think::constant ? ", thinking " : ", thinking on average ";
    title += brief(options.think_time);
  }
  return title;
}

std::string summary(const Options& options, const Outcome& outcome) {
  const Tally& tally = outcome.tally;
  const Counts& window = tally.window;
  std::ostringstream out;
  out << "stload " << archbench::kVersion << ": http://" << options.url.authority()
      << (options.mix_file.empty() ? options.url.path : " (" + options.mix_file + ")") << ", "
      << grouped(static_cast<std::uint64_t>(options.clients)) << " clients, " << load_title(options)
      << "\n";
  out << "  measured    " << decimal(seconds(outcome.window), 3) << " s after "
      << decimal(seconds(options.warmup), 3) << " s of warm-up\n";
  out << "  requests    " << grouped(window.answers + window.failed()) << " asked, "
      << grouped(window.answers) << " answered (status " << statuses(window) << "), "
      << grouped(window.failed()) << " failed\n";
  if (outcome.window.count() > 0) {
    out << "  throughput  "
        << decimal(static_cast<double>(tally.completed) / seconds(outcome.window), 1) << " /s, "
        << megabytes_per_s(tally.window_bytes_read, outcome.window) << "\n";
  }
  out << "  latency     " << describe(tally.latency, window.failed());
  if (options.latency_until == Until::arrived) {
    out << "  read lag    " << describe(tally.read_lag, 0);
  }
  if (options.timed()) {
    out << "  send lag    " << describe(tally.send_lag, 0);
  } else {
    out << "              a closed loop hides stalls: while the server stalls nobody asks "
           "(--rate shows them)\n";
  }
  if (options.connection_per_request) out << "  connect     " << describe(tally.connect, 0);
  describe_clients(out, options, outcome);
  describe_generator(out, options, outcome);
  out << failures(tally);
  for (const Warning& warning : warnings(options, outcome)) {
    out << "  warning     " << warning.text << "\n";
  }
  return out.str();
}

}  // namespace stload
