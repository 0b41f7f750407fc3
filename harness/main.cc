// archbench: runs plans against the servers and records what happened. See harness/README.md.
#include <cstdio>
#include <exception>

#include "harness/command_line.h"
#include "harness/error.h"
#include "harness/os/system.h"

int main(int argc, char** argv) {
  archbench::note_signals();
  try {
    return archbench::obey(argc, argv);
  } catch (const archbench::Interrupted& interrupted) {
    std::fprintf(stderr, "\narchbench: stopped. The same command goes on with the next cell.\n");
    return 128 + interrupted.signal_number();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "archbench: %s\n", error.what());
    return 1;
  }
}
