// Internal: benchmarks only. Two other structures for timers, to compare TimerHeap with: same
// interface, no more than the comparison needs.
#pragma once

#include <stdint.h>

#include <utility>
#include <vector>

namespace bench {

// A binary heap in an array. Deadlines are in the array, so that comparing touches no timer; each
// timer knows its place, so that it can be cancelled.
class BinaryHeap {
 public:
  struct Timer {
    uint64_t deadline;
    size_t index;
  };

  void arm(Timer* timer, uint64_t deadline) {
    timer->deadline = deadline;
    heap_.push_back({});
    rise(heap_.size() - 1, {deadline, timer});
  }

  void cancel(Timer* timer) {
    const size_t hole = timer->index;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (last.timer == timer) return;
    if (hole > 0 && last.deadline < heap_[parent(hole)].deadline)
      rise(hole, last);
    else
      sink(hole, last);
  }

  Timer* take_first() {
    Timer* first = heap_.front().timer;
    cancel(first);
    return first;
  }

 private:
  struct Entry {
    uint64_t deadline;
    Timer* timer;
  };

  static size_t parent(size_t index) { return (index - 1) / 2; }

  void place(size_t index, Entry entry) {
    heap_[index] = entry;
    entry.timer->index = index;
  }

  void rise(size_t index, Entry entry) {
    for (; index > 0 && entry.deadline < heap_[parent(index)].deadline; index = parent(index))
      place(index, heap_[parent(index)]);
    place(index, entry);
  }

  void sink(size_t index, Entry entry) {
    for (size_t child; (child = 2 * index + 1) < heap_.size(); index = child) {
      if (child + 1 < heap_.size() && heap_[child + 1].deadline < heap_[child].deadline) ++child;
      if (entry.deadline <= heap_[child].deadline) break;
      place(index, heap_[child]);
    }
    place(index, entry);
  }

  std::vector<Entry> heap_;
};

// A hierarchical wheel (Varghese and Lauck, 1987) of 64 slots on each level, whose occupied slots
// are bits of one word. It does not keep the order within a tick.
class Wheel {
 public:
  struct Timer {
    uint64_t deadline;
    Timer* next;
    Timer** link;  // the pointer that points at this timer
    uint8_t level;
    uint8_t slot;
  };

  void arm(Timer* timer, uint64_t deadline) {
    timer->deadline = deadline;
    // The level of the highest digit in which the tick differs from now: all that is on a lower
    // level is earlier.
    uint64_t tick = deadline >> kTickBits;
    if (tick < now_) tick = now_;
    timer->level = static_cast<uint8_t>((63 - __builtin_clzll((tick ^ now_) | 1)) / kDigitBits);
    timer->slot = digit(tick, timer->level);
    Timer** head = &slots_[timer->level][timer->slot];
    timer->next = *head;
    if (*head) (*head)->link = &timer->next;
    timer->link = head;
    *head = timer;
    occupied_[timer->level] |= uint64_t{1} << timer->slot;
  }

  void cancel(Timer* timer) {
    *timer->link = timer->next;
    if (timer->next) timer->next->link = timer->link;
    if (!slots_[timer->level][timer->slot])
      occupied_[timer->level] &= ~(uint64_t{1} << timer->slot);
  }

  // One of the first tick in which there are any. There must be one.
  Timer* take_first() {
    for (;;) {
      unsigned level = 0;
      while (occupied_[level] == 0) ++level;
      const unsigned slot = static_cast<unsigned>(__builtin_ctzll(occupied_[level]));
      // Time goes on to where the slot begins.
      const uint64_t below = (uint64_t{1} << level * kDigitBits) - 1;
      const uint64_t own = uint64_t{kSlots - 1} << level * kDigitBits;
      now_ = (now_ & ~(own | below)) | uint64_t{slot} << level * kDigitBits;
      Timer* timer = slots_[level][slot];
      if (level == 0) {
        cancel(timer);
        return timer;
      }
      slots_[level][slot] = nullptr;
      occupied_[level] &= ~(uint64_t{1} << slot);
      while (timer) {
        Timer* next = timer->next;
        arm(timer, timer->deadline);
        timer = next;
      }
    }
  }

 private:
  static constexpr unsigned kTickBits = 10;  // about a millisecond
  static constexpr unsigned kDigitBits = 6;
  static constexpr unsigned kSlots = 1 << kDigitBits;
  static constexpr unsigned kLevels = 9;  // 9 x 6 + 10 = 64 bits: every deadline has a place

  static uint8_t digit(uint64_t tick, unsigned level) {
    return static_cast<uint8_t>(tick >> level * kDigitBits & (kSlots - 1));
  }

  uint64_t now_ = 0;
  uint64_t occupied_[kLevels] = {};
  Timer* slots_[kLevels][kSlots] = {};
};

}  // namespace bench
