#include "harness/campaign/progress.h"

#include <unistd.h>

#include <cmath>

#include "harness/campaign/schedule.h"

namespace archbench {

std::string spoken(const Cell& cell) {
  return cell.server.label + " " + cell.workload.name + ", " + std::to_string(cell.clients) +
         (cell.clients == 1 ? " client, " : " clients, ") + std::to_string(cell.cpus) +
         (cell.cpus == 1 ? " CPU" : " CPUs");
}

std::string spoken(const Result& result) {
  if (!result.failure.empty()) return "FAILED: " + result.failure;
  const Measurements& m = result.measurements;
  std::string text = std::to_string(std::lround(m.throughput_rps.value_or(0))) + " requests/s";
  if (m.requests_per_cpu_s) {
    text += ", " + std::to_string(std::lround(*m.requests_per_cpu_s)) + " per CPU-second";
  }
  std::string failed;
  for (const Gate& gate : result.gates) {
    if (gate.verdict == Verdict::fail && gate.effect == Effect::invalidates)
      failed += " " + gate.name;
  }
  return failed.empty() ? text : text + "; failed" + failed;
}

Progress::Progress(std::FILE* out, std::size_t done, std::size_t total, int blocks,
                   double seconds_per_cell)
    : out_(out),
      terminal_(isatty(fileno(out)) == 1),
      done_(done),
      total_(total),
      blocks_(blocks),
      expected_s_(seconds_per_cell) {}

Progress::~Progress() {
  if (terminal_ && measured_ > 0) std::fputc('\n', out_);
}

double Progress::seconds_left() const {
  const double each = measured_ > 0 ? measured_s_ / static_cast<double>(measured_) : expected_s_;
  return each * static_cast<double>(total_ - done_);
}

void Progress::begin(const Cell& cell) {
  if (!terminal_) return;
  constexpr std::size_t kWidth = 20;
  const std::size_t filled = kWidth * done_ / total_;
  const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
  // \033[K clears what a longer line has left behind.
  std::fprintf(out_, "\r[%s] %zu/%zu, block %d of %d, %s left: %s\033[K", bar.c_str(), done_,
               total_, cell.block + 1, blocks_, spoken_time(seconds_left()).c_str(),
               spoken(cell).c_str());
  std::fflush(out_);
}

void Progress::end(const Result& result, double took_s) {
  ++done_;
  ++measured_;
  measured_s_ += took_s;
  const bool trouble = !result.failure.empty();
  if (terminal_ && !trouble) return;
  std::fprintf(out_, "%s[%zu/%zu] %s: %s\n", terminal_ ? "\r\033[K" : "", done_, total_,
               spoken(result.cell).c_str(), spoken(result).c_str());
  std::fflush(out_);
}

}  // namespace archbench
