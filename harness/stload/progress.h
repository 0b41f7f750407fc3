// A line on the terminal that says how far the run is.
#pragma once

#include <span>

#include "harness/stload/control.h"
#include "harness/stload/options.h"
#include "harness/stload/tally.h"

namespace stload {

// Silent where stderr is not a terminal.
class Progress {
 public:
  Progress(const Options& options, const Control& control, std::span<const Tally> tallies);

  Duration interval() const;  // until show() has something new to say
  void show();
  void clear();

 private:
  const Options& options_;
  const Control& control_;
  std::span<const Tally> tallies_;
  bool on_terminal_;
  Time last_;
  std::uint64_t last_answers_ = 0;
};

// "  3 s of 11, warm-up: 85,123 answers/s, 0 failed"
std::string progress_line(double passed_s, double all_s, bool warming_up, double answers_per_s,
                          std::uint64_t failed);

}  // namespace stload
