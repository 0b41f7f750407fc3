#include "timer.h"

namespace st {
namespace {

bool earlier(const Timer* a, const Timer* b) {
  return a->key != b->key ? a->key < b->key : a->key_order < b->key_order;
}

// Puts the later of two trees under the earlier one and returns that one, without parent or
// sibling.
Timer* meld(Timer* a, Timer* b) {
  if (earlier(b, a)) {
    Timer* swap = a;
    a = b;
    b = swap;
  }
  b->sibling = a->child;
  if (b->sibling) b->sibling->link = &b->sibling;
  b->link = &a->child;
  a->child = b;
  return a;
}

// Makes one tree of a row of siblings: pairs from left to right, then all pairs from right to left.
// Iterative, because a row may be as long as there are timers.
Timer* meld_row(Timer* row) {
  Timer* pairs = nullptr;
  while (row) {
    Timer* a = row;
    Timer* b = a->sibling;
    row = b ? b->sibling : nullptr;
    Timer* pair = b ? meld(a, b) : a;
    pair->sibling = pairs;
    pairs = pair;
  }
  Timer* tree = pairs;
  pairs = pairs->sibling;
  while (pairs) {
    Timer* next = pairs->sibling;
    tree = meld(tree, pairs);
    pairs = next;
  }
  return tree;
}

}  // namespace

// Puts a timer where its deadline belongs, wherever it was before.
void TimerHeap::file(Timer* timer) {
  remove(timer);
  timer->key = timer->deadline;
  timer->key_order = timer->order;
  timer->child = nullptr;
  if (timer->key != kNever) adopt(timer);
}

void TimerHeap::adopt(Timer* tree) {
  root_ = root_ ? meld(root_, tree) : tree;
  root_->link = &root_;
  root_->sibling = nullptr;
}

void TimerHeap::remove(Timer* timer) {
  if (timer->key == kNever) return;
  timer->key = kNever;
  *timer->link = timer->sibling;
  if (timer->sibling) timer->sibling->link = timer->link;
  if (timer->child) adopt(meld_row(timer->child));
}

Timer* TimerHeap::take_due(uint64_t now) {
  while (root_ && root_->key <= now) {
    Timer* timer = root_;
    const bool due = timer->armed() && timer->order == timer->key_order;
    remove(timer);
    if (due) return timer;
    if (timer->armed()) file(timer);
  }
  return nullptr;
}

}  // namespace st
