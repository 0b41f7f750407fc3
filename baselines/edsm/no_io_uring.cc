// In place of io_uring.cc where liburing was not found.
#include <stdexcept>

#include "baselines/edsm/models.h"

namespace baselines {

void serve_io_uring(Server&) {
  throw std::runtime_error(
      "this build has no io_uring; install liburing-dev and build again, or choose another "
      "--model");
}

}  // namespace baselines
