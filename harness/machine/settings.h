// Kernel settings that are changed for a campaign and put back afterwards, whatever happens.
//
// Before the first change the old values are written to a state file. When a run is killed its
// guard puts them back, and when the guard is killed, too, the next start that finds a state file
// without a living owner. The file lies on a file system that a reboot empties, as a reboot puts
// the settings back itself.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/machine/doctor.h"

namespace archbench {

class Settings {
 public:
  // `state` is the state file; empty: /run/archbench-settings.json.
  explicit Settings(std::filesystem::path state = {});

  // Writes what `findings` propose; each change, and each that was refused, becomes a sentence.
  // They stay until restore(); `owner` is the process that will call it, 0: somebody by hand.
  std::vector<std::string> apply(const std::vector<Finding>& findings, int owner);

  // Puts everything back and removes the state file; what was done, as sentences. A value that
  // somebody else has changed meanwhile is left alone.
  std::vector<std::string> restore();

  // From here on a second process waits for the end of this one, however it comes, and then
  // restores what is still changed. It lives in a session of its own: ^C does not reach it.
  void guard() const;

  // Restores if the owner has died without doing it, and its guard with it.
  std::vector<std::string> restore_if_abandoned();

  bool changed() const;  // there is a state file

 private:
  std::filesystem::path state_;
};

}  // namespace archbench
