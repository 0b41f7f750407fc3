// Internal: include only inside st/src. What wakes threads when their time has come.
#pragma once

#include <stdint.h>

namespace st {

inline constexpr uint64_t kNever = UINT64_MAX;

// A thread's timer, armed while the thread waits with a deadline. Embedded in the thread, so arming
// never allocates.
struct Timer {
  // All that most waits touch.
  uint64_t deadline = kNever;  // microseconds of the scheduler's clock; kNever: not armed
  uint64_t order = 0;  // the number of the wait: among equal deadlines the first one ends first
  // When the heap looks at it, never later than the deadline; kNever: it is not in the heap.
  uint64_t key = kNever;

  uint64_t key_order;  // what `order` was then
  Timer* child;
  Timer* sibling;
  Timer** link;  // the pointer that points at this node

  bool armed() const { return deadline != kNever; }
};

// A pairing heap that is lazy about what changes. Nearly all timeouts of a server are cancelled,
// because the answer came, and then armed again for later. So cancelling only notes it, and arming
// a timer that is still in the heap for an earlier time only notes the later one: both touch
// nothing but the timer itself. When its old time comes, the heap finds out and files it anew, once
// for each timeout that passes.
//
// What is filed waits in rows of trees that double in size, as the digits of a binary counter,
// until a timer is due; only then do they become one tree. So no single operation, not even the
// first take after a million timers were filed, has more than a few dozen trees to look at.
// docs/timers.md has the measurements against other structures.
class TimerHeap {
 public:
  void arm(Timer* timer, uint64_t deadline) {
    timer->deadline = deadline;
    timer->order = next_order();
    if (timer->key > deadline) file(timer);
  }
  void cancel(Timer* timer) { timer->deadline = kNever; }

  // Takes a timer out, before its memory is used for something else.
  void remove(Timer* timer);

  // Takes out the next timer whose deadline is not after `now`; null if there is none. The caller
  // cancels it.
  Timer* take_due(uint64_t now);

  // No timer is due before; it may be that none is due then.
  uint64_t next_look() const { return first_; }

  // Numbers waits, also those without a deadline.
  uint64_t next_order() { return ++orders_; }

 private:
  void file(Timer* timer);
  void gather();

  static constexpr int kRows = 32;  // more timers than a scheduler has threads
  Timer* root_ = nullptr;           // what has been gathered
  Timer* filed_[kRows] = {};        // since then: at i a tree of at most 2^i timers, or none
  int rows_ = 0;                    // above the last that may have one
  uint64_t first_ = kNever;         // not after any key
  uint64_t orders_ = 0;
};

}  // namespace st
