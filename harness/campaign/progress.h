// Tells a person how far a campaign is: one line redrawn on a terminal, one line for each cell
// else.
#pragma once

#include <cstdio>
#include <string>

#include "harness/cell/result.h"

namespace archbench {

class Progress {
 public:
  // `done` of `total` cells are there already. Writes to `out`, usually stderr.
  Progress(std::FILE* out, std::size_t done, std::size_t total, int blocks,
           double seconds_per_cell);
  ~Progress();  // leaves the terminal on a line of its own

  void begin(const Cell& cell);
  void end(const Result& result, double took_s);

 private:
  double seconds_left() const;

  std::FILE* out_;
  bool terminal_;
  std::size_t done_, total_;
  std::size_t measured_ = 0;  // by this run: only they say how long a cell takes here
  double measured_s_ = 0;
  int blocks_;
  double expected_s_;  // for a cell, before one has been measured
};

// "mp-fork bytes-1024, 64 clients, 1 CPU".
std::string spoken(const Cell& cell);

// "31022 requests/s, 30410 per CPU-second; failed machine_quiet", or why it failed.
std::string spoken(const Result& result);

}  // namespace archbench
