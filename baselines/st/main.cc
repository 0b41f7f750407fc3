// State threads: every connection has a state thread while it is served.
#include <array>

#include "baselines/common/program.h"
#include "baselines/st/models.h"

int main(int argc, char** argv) {
  using namespace baselines;
  static constexpr std::array models = {
      Model{"process",
            "--cpus identical processes [1], each a scheduler with a state thread for each "
            "connection",
            serve_process},
      Model{"hybrid", "one process, --cpus kernel threads [1], each a scheduler as in process",
            serve_hybrid},
  };
  static constexpr std::array events = {"epoll", "poll", "select", "io_uring"};
  return run_program(
      argc, argv,
      {"HTTP server, state threads: every connection has a state thread while it is served.",
       models, events});
}
