// The one place that knows which mechanisms there are.
#include <stdlib.h>
#include <string.h>

#include "event/event.h"

namespace st {
namespace {

const Mechanism* const mechanisms[] = {
    &select_mechanism,
    &poll_mechanism,
    &epoll_mechanism,
#ifdef ST_HAVE_IO_URING
    &io_uring_mechanism,
#endif
};

}  // namespace

const Mechanism* choose_mechanism(int id) {
  const Mechanism* chosen = id == ST_EVENTSYS_DEFAULT ? &epoll_mechanism : nullptr;
  for (const Mechanism* mechanism : mechanisms)
    if (mechanism->id == id) chosen = mechanism;
  // The environment wins over the program's choice, so that any program, and every test, can be
  // tried on each.
  const char* name = getenv("ST_EVENTSYS");
  for (const Mechanism* mechanism : mechanisms)
    if (chosen && name && strcmp(mechanism->name, name) == 0) chosen = mechanism;
  return chosen;
}

}  // namespace st
