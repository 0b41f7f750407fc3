// The three ways in which something can go wrong, and who deals with each.
#pragma once

#include <stdexcept>
#include <string>

namespace archbench {

// The command cannot be carried out: main() prints the sentence and exits with 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// This cell gave no measurement: the sentence becomes its `reason` and the campaign goes on.
class CellFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Somebody asked archbench to stop: nothing is written for the cell under way, main() exits with
// 128 + the signal's number, as a shell reports it.
class Interrupted : public std::runtime_error {
 public:
  explicit Interrupted(int signal_number)
      : std::runtime_error("interrupted"), signal_number_(signal_number) {}
  int signal_number() const { return signal_number_; }

 private:
  int signal_number_;
};

// "opening x: Permission denied", from errno.
std::string errno_text(const std::string& what);

}  // namespace archbench
