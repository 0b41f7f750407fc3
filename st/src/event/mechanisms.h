// Internal: include only inside st/src/event. The mechanisms there are; only choose.cc knows this
// list.
#pragma once

#include "event/event.h"

namespace st {
extern const Mechanism select_mechanism;
extern const Mechanism poll_mechanism;
extern const Mechanism epoll_mechanism;
#ifdef ST_HAVE_IO_URING
extern const Mechanism io_uring_mechanism;
#endif
}  // namespace st
