// Multi-process: every connection has a process while it is served.
#include <array>

#include "baselines/common/program.h"
#include "baselines/mp/models.h"

int main(int argc, char** argv) {
  using namespace baselines;
  static constexpr std::array models = {
      Model{"fork", "a new process for each connection", serve_fork},
      Model{"prefork", "a pool of --workers processes [256], each accepts and serves by itself",
            serve_prefork},
  };
  static constexpr std::array accepts = {"herd", "lock", "reuseport"};
  return run_program(
      argc, argv,
      {.sentence = "HTTP server, multi-process: every connection has a process while "
                   "it is served.",
       .models = models,
       .accepts = accepts});
}
