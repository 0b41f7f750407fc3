#include "timer.h"

namespace st {
namespace {

bool earlier(const Timer* a, const Timer* b) {
  return a->deadline != b->deadline ? a->deadline < b->deadline : a->order < b->order;
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

void TimerHeap::arm(Timer* timer, uint64_t deadline) {
  timer->deadline = deadline;
  timer->order = armed_++;
  timer->child = timer->sibling = nullptr;
  root_ = root_ ? meld(root_, timer) : timer;
  root_->link = &root_;
  root_->sibling = nullptr;
}

void TimerHeap::cancel(Timer* timer) {
  *timer->link = timer->sibling;
  if (timer->sibling) timer->sibling->link = timer->link;
  timer->link = nullptr;
  if (!timer->child) return;
  Timer* orphans = meld_row(timer->child);
  root_ = root_ ? meld(root_, orphans) : orphans;
  root_->link = &root_;
  root_->sibling = nullptr;
}

}  // namespace st
