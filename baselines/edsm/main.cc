// Event-driven state machine: every connection is an object, one loop advances all of them.
#include <array>

#include "baselines/common/program.h"
#include "baselines/edsm/models.h"

int main(int argc, char** argv) {
  using namespace baselines;
  static constexpr std::array models = {
      Model{"epoll", "--cpus identical processes [1], each a loop over edge-triggered epoll",
            serve_epoll},
  };
  return run_program(argc, argv,
                     {"HTTP server, event-driven state machine: every connection is an object, one "
                      "loop in each process advances all of them.",
                      models});
}
