// Boost.Fiber: every connection has a fiber while it is served.
#include <array>

#include "baselines/common/program.h"
#include "baselines/peers/fiber/models.h"

int main(int argc, char** argv) {
  using namespace baselines;
  static constexpr std::array models = {
      Model{"thread",
            "--cpus identical processes [1], each one kernel thread with a fiber for each "
            "connection",
            serve_fiber_thread},
      Model{"stealing",
            "--cpus kernel threads [1] of one process, which steal each other's fibers: many to "
            "few",
            serve_fiber_stealing},
  };
  return run_program(
      argc, argv,
      {"HTTP server on Boost.Fiber: every connection has a fiber while it is served.", models});
}
