// The asymmetric architecture of Flash (Pai, Druschel, Zwaenepoel, 1999): the loop over epoll, and
// beside it processes that wait for the disk in its place.
#include "baselines/edsm/disk_helpers.h"
#include "baselines/edsm/epoll.h"
#include "baselines/edsm/loop.h"
#include "baselines/edsm/models.h"
#include "baselines/edsm/symmetric.h"

namespace baselines {

void serve_amped(Server& server) { serve_symmetric<Loop<Epoll, DiskHelpers>>(server); }

}  // namespace baselines
