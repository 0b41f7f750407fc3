#include "harness/stload/progress.h"

#include <unistd.h>

#include <cstdio>

#include "harness/stload/text.h"

namespace stload {
namespace {

constexpr Duration kEvery = std::chrono::seconds(1);

}  // namespace

Progress::Progress(const Options& options, const Control& control, std::span<const Tally> tallies)
    : options_(options),
      control_(control),
      tallies_(tallies),
      on_terminal_(isatty(STDERR_FILENO) == 1),
      last_(control.begin) {}

Duration Progress::interval() const { return on_terminal_ ? kEvery : Duration::max(); }

void Progress::show() {
  const Time now = Clock::now();
  if (!on_terminal_ || now - last_ < kEvery / 2) return;
  std::uint64_t answers = 0, failures = 0;
  for (const Tally& tally : tallies_) {
    answers += tally.live_answers.load(std::memory_order_relaxed);
    failures += tally.live_failures.load(std::memory_order_relaxed);
  }
  const double rate = static_cast<double>(answers - last_answers_) / seconds(now - last_);
  const std::string line =
      progress_line(seconds(now - control_.begin), seconds(options_.warmup + options_.duration),
                    now < control_.window_begin, rate, failures);
  std::fprintf(stderr, "\r%s\033[K", line.c_str());
  last_ = now;
  last_answers_ = answers;
}

void Progress::clear() {
  if (on_terminal_) std::fprintf(stderr, "\r\033[K");
}

std::string progress_line(double passed_s, double all_s, bool warming_up, double answers_per_s,
                          std::uint64_t failed) {
  const std::string time = decimal(passed_s, 0) + " s of " + decimal(all_s, 0);
  const char* phase = passed_s > all_s ? ", waiting for the last answers"
                      : warming_up     ? ", warm-up"
                                       : "";
  return "  " + time + phase + ": " + decimal(answers_per_s, 0) + " answers/s, " + grouped(failed) +
         " failed";
}

}  // namespace stload
