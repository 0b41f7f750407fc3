// Internal: include only inside st/src. The queue that threads wait in for one another.
#pragma once

#include <stdint.h>

#include "list.h"
#include "thread.h"

namespace st {

// Zeroed memory is an empty queue. First in, first out.
class WaitQueue {
 public:
  // Puts the caller into the queue while `suspend` runs, which suspends it and returns how that
  // ended.
  template <class Suspend>
  Wake wait(Suspend suspend);

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
