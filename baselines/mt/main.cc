// Multi-threaded: every connection has a kernel thread while it is served.
#include <array>

#include "baselines/common/program.h"
#include "baselines/mt/models.h"

int main(int argc, char** argv) {
  using namespace baselines;
  static constexpr std::array models = {
      Model{"thread", "a new kernel thread for each connection", serve_thread},
  };
  return run_program(
      argc, argv,
      {"HTTP server, multi-threaded: every connection has a kernel thread while it is served.",
       models});
}
