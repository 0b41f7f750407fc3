#include "harness/cell/warning.h"

namespace archbench {
namespace {

struct Entry {
  std::string_view code;
  std::string_view text;
};

Entry entry(Warning warning) {
  switch (warning) {
    case Warning::generator_shares_cpus:
      return {
          "generator_shares_cpus",
          "No CPU was left for the generator, so it ran on the server's. Compare requests per "
          "CPU-second, not throughput; a machine with more CPUs, or a plan with fewer, decides."};
    case Warning::not_all_connected:
      return {"not_all_connected",
              "The server had not accepted all clients when the window began. A pool smaller than "
              "the number of clients never will; else give the plan a longer warmup_seconds."};
    case Warning::latency_excludes_connect:
      return {"latency_excludes_connect",
              "Every request had its own connection, and the generator starts its watch at the "
              "first write: connecting is in the throughput but not in the latency."};
    case Warning::latency_unknown:
      return {"latency_unknown",
              "No answer came in time to have a latency. See the errors of this cell."};
    case Warning::p99_withheld:
      return {
          "p99_withheld",
          "Fewer than 10,000 answers: the 99th percentile would rest on fewer than 100 of them. "
          "Give the plan more seconds."};
    case Warning::p999_withheld:
      return {"p999_withheld",
              "Fewer than 100,000 answers: the 99.9th percentile would rest on fewer than 100 of "
              "them. Give the plan more seconds."};
    case Warning::user_share_withheld:
      return {"user_share_withheld",
              "The kernel reports user and system time of each process in steps of 10 ms, and most "
              "of this server's processes used less. Give the plan more seconds."};
    case Warning::switches_withheld:
      return {"switches_withheld",
              "Processes or threads came or went during the window, and the kernel forgets the "
              "context switches of those that have ended."};
    case Warning::server_idle:
      return {"server_idle",
              "The server answered nothing inside the window, so nothing can be given per request. "
              "See its stderr in raw/ and the generator's errors."};
    case Warning::server_did_not_stop:
      return {"server_did_not_stop",
              "The server did not end with status 0 within 6 s of SIGTERM and was killed. The "
              "measurement was over by then; see its stderr in raw/."};
  }
  return {};
}

}  // namespace

std::string_view warning_code(Warning warning) { return entry(warning).code; }
std::string_view warning_text(Warning warning) { return entry(warning).text; }

}  // namespace archbench
