// Internal: include only inside st/src. The queue that threads wait in for one another.
#pragma once

#include <stdint.h>

#include "list.h"
#include "thread.h"

namespace st {

// First in, first out. Lives in memory from malloc, so it is made empty by hand.
class WaitQueue {
 public:
  void make_empty();

  // Suspends the caller in the queue: as Scheduler::suspend().
  Wake wait(State state, uint64_t timeout);

  // Wakes the thread that has waited longest and still sleeps, and returns it; null if there is
  // none.
  Thread* wake_first();

  // A thread is in wait(), even if it has been woken already.
  bool busy() const;

 private:
  struct Place;
  List<Place> places_;
  uint32_t woken_;  // taken out by wake_first() and not yet out of wait()
};

}  // namespace st
