// Event-driven state machine: every connection is an object, one loop advances all of them.
#include <array>

#include "baselines/common/program.h"
#include "baselines/edsm/models.h"

int main(int argc, char** argv) {
  using namespace baselines;
  static constexpr std::array models = {
      Model{"epoll", "--cpus identical processes [1], each a loop over edge-triggered epoll",
            serve_epoll},
      Model{"poll", "the same over poll(): all sockets are looked at for each batch of events",
            serve_poll},
      Model{"select", "the same over select(): for at most about 1,000 clients in each process",
            serve_select},
      Model{"io_uring",
            "the same, except that the kernel receives and sends, and a batch of it is one call",
            serve_io_uring},
      Model{"amped", "epoll, with --workers helper processes [8] that wait for the disk",
            serve_amped},
  };
  return run_program(argc, argv,
                     {"HTTP server, event-driven state machine: every connection is an object, one "
                      "loop in each process advances all of them.",
                      models});
}
