#include "timer.h"

#include <utility>

namespace st {
namespace {

bool earlier(const Timer* a, const Timer* b) {
  return a->key != b->key ? a->key < b->key : a->key_order < b->key_order;
}

// Puts the later of two trees under the earlier one and returns that one, without parent or
// sibling.
Timer* meld(Timer* a, Timer* b) {
  if (earlier(b, a)) std::swap(a, b);
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

// Makes `link` point at a tree that has no siblings.
void put(Timer** link, Timer* tree) {
  *link = tree;
  tree->link = link;
  tree->sibling = nullptr;
}

}  // namespace

// Puts a timer where its deadline belongs, wherever it was before.
void TimerHeap::file(Timer* timer) {
  remove(timer);
  timer->key = timer->deadline;
  timer->key_order = timer->order;
  timer->child = nullptr;
  if (timer->key == kNever) return;
  if (timer->key < first_) first_ = timer->key;
  Timer* tree = timer;
  int row = 0;
  for (; filed_[row]; ++row) {
    tree = meld(tree, filed_[row]);
    filed_[row] = nullptr;
  }
  put(&filed_[row], tree);
  if (rows_ <= row) rows_ = row + 1;
}

// Makes one tree of all that there are.
void TimerHeap::gather() {
  while (rows_ > 0) {
    Timer*& tree = filed_[--rows_];
    if (tree) put(&root_, root_ ? meld(root_, tree) : tree);
    tree = nullptr;
  }
}

// Its children take its place, so that no row grows by what is taken out.
void TimerHeap::remove(Timer* timer) {
  if (timer->key == kNever) return;
  timer->key = kNever;
  Timer* rest = timer->sibling;
  if (timer->child) {
    Timer* tree = meld_row(timer->child);
    put(timer->link, tree);
    tree->sibling = rest;
    if (rest) rest->link = &tree->sibling;
  } else {
    *timer->link = rest;
    if (rest) rest->link = timer->link;
  }
}

Timer* TimerHeap::take_due(uint64_t now) {
  while (first_ <= now) {
    gather();
    first_ = root_ ? root_->key : kNever;
    if (first_ > now) break;
    Timer* timer = root_;
    const bool due = timer->armed() && timer->order == timer->key_order;
    remove(timer);
    if (due) return timer;
    if (timer->armed()) file(timer);
  }
  return nullptr;
}

}  // namespace st
