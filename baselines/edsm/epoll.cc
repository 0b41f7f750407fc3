// The reference of all comparisons: identical processes, each a loop over edge-triggered epoll.
#include "baselines/edsm/epoll.h"

#include "baselines/edsm/loop.h"
#include "baselines/edsm/models.h"
#include "baselines/edsm/symmetric.h"

namespace baselines {

void serve_epoll(Server& server) { serve_symmetric<Loop<Epoll>>(server); }

}  // namespace baselines
