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
// for each timeout that passes. docs/timers.md has the measurements against other structures.
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
  uint64_t next_look() const { return root_ ? root_->key : kNever; }

  // Numbers waits, also those without a deadline.
  uint64_t next_order() { return ++orders_; }

 private:
  void file(Timer* timer);
  void adopt(Timer* tree);

  Timer* root_ = nullptr;
  uint64_t orders_ = 0;
};

}  // namespace st
