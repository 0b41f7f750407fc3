#include "key.h"

#include <errno.h>

#include <atomic>

#include "errors.h"
#include "scheduler.h"

namespace st {
namespace {

using Destructor = void (*)(void*);

// For all threads of the process, so kernel threads may race for the next key.
std::atomic<int> key_count{0};
std::atomic<Destructor> destructors[kKeysMax];

bool known(int key) { return key >= 0 && key < key_count.load(std::memory_order_acquire); }

}  // namespace

void destroy_values(Thread* thread) {
  for (int key = 0; key < thread->keys_used; ++key) {
    void* value = thread->keys[key];
    Destructor destroy = destructors[key].load(std::memory_order_relaxed);
    // The slot is emptied afterwards: the destructor may still ask for its own value.
    if (value && destroy) destroy(value);
    thread->keys[key] = nullptr;
  }
}

}  // namespace st

int st_key_create(int* keyp, void (*destructor)(void*)) {
  int key = st::key_count.load(std::memory_order_relaxed);
  do {
    if (key >= st::kKeysMax) return st::fail(EAGAIN);
  } while (!st::key_count.compare_exchange_weak(key, key + 1, std::memory_order_acq_rel));
  st::destructors[key].store(destructor, std::memory_order_release);
  *keyp = key;
  return 0;
}

int st_key_getlimit() { return st::kKeysMax; }

int st_thread_setspecific2(st_thread_t thread, int key, void* value) {
  if (!st::known(key)) return st::fail(EINVAL);
  ST_CHECK(thread, st::kTooEarly);
  ST_CHECK(!st::scheduler.is_foreign(thread->home), st::kForeign);
  void* old = thread->keys[key];
  if (old == value) return 0;
  if (thread->keys_used <= key) thread->keys_used = static_cast<uint8_t>(key + 1);
  st::Destructor destroy = st::destructors[key].load(std::memory_order_acquire);
  if (old && destroy) destroy(old);
  thread->keys[key] = value;
  return 0;
}

int st_thread_setspecific(int key, void* value) {
  return st_thread_setspecific2(st::scheduler.current(), key, value);
}

void* st_thread_getspecific(int key) {
  st::Thread* self = st::scheduler.current();
  ST_CHECK(self, st::kTooEarly);
  return st::known(key) ? self->keys[key] : nullptr;
}
