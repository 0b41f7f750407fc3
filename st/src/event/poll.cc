// poll(2): the kernel is told about every waiting descriptor each time, so a pass costs as much as
// there are waiters.
#include <errno.h>
#include <stdlib.h>

#include "event/event.h"

namespace st {
namespace {

// Makes room for the entry now, while there is somebody who can be told that there is no memory.
bool tell(Events& events, int, const Watch&, int, int) {
  const int room = events.handle < 0 ? 0 : events.handle;  // entries in `buffer`
  if (room >= events.watched()) return true;
  const int grown = events.watched() + events.watched() / 2 + 64;
  void* buffer = realloc(events.buffer, sizeof(pollfd) * static_cast<size_t>(grown));
  if (!buffer) return false;
  events.buffer = buffer;
  events.handle = grown;
  return true;
}

void wait(Events& events, int64_t timeout) {
  auto* entries = static_cast<pollfd*>(events.buffer);
  nfds_t count = 0;
  events.each_waited_for([&](int fd, Watch& watch) {
    entries[count++] = {fd, Events::wanted(watch), 0};
  });
  const timespec time = timespec_of(timeout);
  int ready = ppoll(entries, count, timeout < 0 ? nullptr : &time, nullptr);
  for (nfds_t i = 0; ready > 0 && i < count; ++i) {
    if (entries[i].revents == 0) continue;
    --ready;
    events.report(entries[i].fd, events.record(entries[i].fd)->generation, entries[i].revents);
  }
}

}  // namespace

const Mechanism poll_mechanism = {
    .id = ST_EVENTSYS_POLL, .name = "poll", .events = ~0, .tell = tell, .wait = wait};

}  // namespace st
