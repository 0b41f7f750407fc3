// Giving everything back: st_destroy(), and the end of a kernel thread that has called st_init().
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <atomic>
#include <new>

#include "bell.h"
#include "io.h"
#include "offload.h"
#include "overflow.h"
#include "scheduler.h"

namespace st {

void Scheduler::end() {
  if (!current_ || current_ != primordial_) return;
  ST_CHECK(!leaf_stack.contains(context_stack_pointer()),
           "called inside st_leaf_call(), on a stack that it gives back");
  // What uses descriptors goes before them.
  offload_end();
  bells_end();
  events.end();
  netfds_end();
  stacks.end();
  leaf_stacks.end();
  watch_for_overflow_no_more();
  sanitizer_end(primordial_);
  free(primordial_);
  new (this) Scheduler;
}

bool Scheduler::end_with_kernel_thread() {
  // -1: nobody has made it yet. Of two kernel threads that both make one, the second gives its own
  // back.
  static std::atomic<int64_t> key{-1};
  if (key.load(std::memory_order_acquire) < 0) {
    pthread_key_t made;
    if ((errno = pthread_key_create(&made, [](void*) { scheduler.end(); }))) return false;
    int64_t nobody = -1;
    if (!key.compare_exchange_strong(nobody, made)) pthread_key_delete(made);
  }
  errno = pthread_setspecific(static_cast<pthread_key_t>(key), &scheduler);
  return errno == 0;
}

}  // namespace st

void st_destroy() { st::scheduler.end(); }

void st_set_primordial_stack(void*, void*) {}
