// Internal: include only inside st/src. An intrusive list: its nodes live inside the things it
// lists.
#pragma once

namespace st {

// A node. Not linked: next is null. A list's own head is a node that is always linked.
struct Link {
  Link* next = nullptr;
  Link* prev = nullptr;

  bool linked() const { return next != nullptr; }

  void unlink() {
    prev->next = next;
    next->prev = prev;
    next = nullptr;
  }
};

// First in, first out; a node can leave from anywhere. T must derive from Link. Memory that is zero
// is an empty list.
template <class T>
class List {
 public:
  bool empty() const { return !head_.next || head_.next == &head_; }

  void push_back(T* item) {
    if (!head_.next) [[unlikely]]
      head_.next = head_.prev = &head_;
    item->prev = head_.prev;
    item->next = &head_;
    head_.prev->next = item;
    head_.prev = item;
  }

  // First item and the one after `item`; null at the end.
  T* front() { return empty() ? nullptr : static_cast<T*>(head_.next); }
  T* after(T* item) { return item->next == &head_ ? nullptr : static_cast<T*>(item->next); }

 private:
  Link head_;
};

}  // namespace st
