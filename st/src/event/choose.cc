// The one place that knows which mechanisms there are.
#include <stdlib.h>
#include <string.h>

#include "event/mechanisms.h"

namespace st {
namespace {

const Mechanism* const mechanisms[] = {&select_mechanism, &poll_mechanism, &epoll_mechanism};

}  // namespace

const Mechanism* choose_mechanism(int id) {
  // The environment wins over the program, so that any program, and every test, can be tried on
  // each.
  if (const char* name = getenv("ST_EVENTSYS"))
    for (const Mechanism* mechanism : mechanisms)
      if (strcmp(mechanism->name, name) == 0) return mechanism;
  if (id == ST_EVENTSYS_DEFAULT) return &epoll_mechanism;
  for (const Mechanism* mechanism : mechanisms)
    if (mechanism->id == id) return mechanism;
  return nullptr;
}

}  // namespace st
