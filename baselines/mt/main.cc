// Multi-threaded: kernel threads in one process serve the connections.
#include <array>

#include "baselines/common/program.h"
#include "baselines/mt/models.h"

int main(int argc, char** argv) {
  using namespace baselines;
  static constexpr std::array models = {
      Model{"thread", "a new kernel thread for each connection", serve_thread},
      Model{"pool", "a pool of --workers threads [256], each accepts and serves by itself",
            serve_pool},
      Model{"staged",
            "a thread that accepts, --workers threads for requests [8], one for each CPU for "
            "responses; work queues between them",
            serve_staged},
  };
  return run_program(
      argc, argv,
      {"HTTP server, multi-threaded: kernel threads in one process serve the connections.",
       models});
}
