// select(2): descriptors below FD_SETSIZE (1,024) only, and a pass costs as much as the highest of
// them.
#include <errno.h>
#include <fcntl.h>
#include <sys/select.h>

#include "errors.h"
#include "event/event.h"

namespace st {
namespace {

bool tell(Events&, int fd, const Watch&, int, int) {
  if (fd >= FD_SETSIZE) return fail(EINVAL);
  return true;
}

// select only says that some descriptor is closed, not which.
void report_closed(Events& events) {
  events.each_waited_for([&](int fd, Watch& watch) {
    if (fcntl(fd, F_GETFD) < 0) events.report(fd, watch.generation, POLLNVAL);
  });
}

void wait(Events& events, int64_t timeout) {
  fd_set readable, writable, urgent;
  FD_ZERO(&readable);
  FD_ZERO(&writable);
  FD_ZERO(&urgent);
  int end = 0;
  events.each_waited_for([&](int fd, Watch& watch) {
    const short what = Events::wanted(watch);
    if (what & POLLIN) FD_SET(fd, &readable);
    if (what & POLLOUT) FD_SET(fd, &writable);
    if (what & POLLPRI) FD_SET(fd, &urgent);
    end = fd + 1;
  });
  timeval time = {static_cast<time_t>(timeout / 1'000'000),
                  static_cast<suseconds_t>(timeout % 1'000'000)};
  const int ready = select(end, &readable, &writable, &urgent, timeout < 0 ? nullptr : &time);
  if (ready < 0 && errno == EBADF) report_closed(events);
  if (ready <= 0) return;
  events.each_waited_for([&](int fd, Watch& watch) {
    short what = 0;
    if (FD_ISSET(fd, &readable)) what |= POLLIN;
    if (FD_ISSET(fd, &writable)) what |= POLLOUT;
    if (FD_ISSET(fd, &urgent)) what |= POLLPRI;
    if (what) events.report(fd, watch.generation, what);
  });
}

}  // namespace

const Mechanism select_mechanism = {
    .id = ST_EVENTSYS_SELECT, .name = "select", .fd_limit = FD_SETSIZE, .tell = tell, .wait = wait};

}  // namespace st
