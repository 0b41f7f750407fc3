// Internal: include only inside st/src. What wakes threads when their time has come.
#pragma once

#include <stdint.h>

namespace st {

// A thread's timer, armed while the thread waits with a deadline. Embedded in the thread, so arming
// never allocates.
struct Timer {
  uint64_t deadline;  // microseconds of the scheduler's clock
  uint64_t order;     // among equal deadlines the first armed fires first
  Timer* child;
  Timer* sibling;
  Timer** link = nullptr;  // the pointer that points at this node; null: not armed

  bool armed() const { return link != nullptr; }
};

// A pairing heap: arming is one comparison with the root, cancelling what was armed lately touches
// only the root and a neighbour. That is what a server does with nearly all its timeouts: arm, then
// cancel because the answer came. Taking out the earliest costs O(log n) amortised. docs/timers.md
// has the measurements against a binary heap and a wheel.
class TimerHeap {
 public:
  bool empty() const { return root_ == nullptr; }
  Timer* first() const { return root_; }
  uint64_t armed() const { return armed_; }  // how many have ever been

  void arm(Timer* timer, uint64_t deadline);
  void cancel(Timer* timer);

 private:
  Timer* root_ = nullptr;
  uint64_t armed_ = 0;
};

}  // namespace st
