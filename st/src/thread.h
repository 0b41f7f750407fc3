// Internal: include only inside st/src. The control block of a state thread. Whoever has read it
// can predict scheduler.cc.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "context/context.h"
#include "st.h"
#include "stack.h"
#include "timer.h"

namespace st {

// Who holds the thread. Only the scheduler changes it.
enum class State : uint8_t {
  gone,        // the stack allocator; zero, as in memory that was never used
  runnable,    // the run queue, or the CPU if it is the current thread
  sleeping,    // its timer, or nobody: a sleep without limit
  on_cond,     // a condition variable's queue
  on_mutex,    // a mutex' queue
  on_io,       // the queues of one or more descriptors
  on_offload,  // the desk that its work comes back to
  joining,     // the thread it joins
  zombie,      // itself, until somebody joins it
};

// How a wait ended. An interrupt wins over all others.
enum class Wake : uint8_t {
  ready,
  timed_out,
  interrupted,
  signalled,  // ready, but an interrupt that comes before the thread runs still ends the call
  failed,     // timed out or interrupted; who switches to the thread sets errno for it
};

inline constexpr int kKeysMax = 16;                     // as State Threads 1.9
inline constexpr size_t kDefaultStackSize = 64 * 1024;  // as State Threads 1.9

class WaitQueue;

}  // namespace st

struct alignas(64) _st_thread {
  // Used by every switch and every wait: the first cache line, and it is full.
  st::Context context;  // where it goes on; valid unless it is the current thread
  _st_thread* next;     // behind it in the run queue; valid while it is there
  st::State state;
  st::Wake wake;     // how its last wait ended; valid from wake() until it runs or has looked
  bool interrupted;  // st_thread_interrupt() was called and nobody has been told yet
  bool joinable;
  uint8_t keys_used;     // keys [0, keys_used) may be set
  uint16_t home;         // the number of its scheduler
  st::WaitQueue* queue;  // the last that it has waited in
  _st_thread* before;    // there; valid unless it is the first
  _st_thread* behind;    // there; null if it is the last or in none
  st::Timer timer;       // armed while it waits with a deadline; its `order` numbers every wait for
                         // descriptors

  // Used by its start and its end, and by what is rare.
  void* (*start)(void*);
  void* arg;
  void* value;         // what it returned; valid when zombie
  _st_thread* joiner;  // who waits in st_thread_join() for it
  st::Stack stack;
  void* keys[st::kKeysMax];
  char name[ST_THREAD_NAME_MAX + 1];
  void* sanitizer;  // AddressSanitizer's record of the stack while it is not in use;
                    // ThreadSanitizer's fiber
};

namespace st {
using Thread = _st_thread;
static_assert(offsetof(Thread, timer.key) + sizeof(uint64_t) <= 128,
              "what a wait touches is in the first cache line");

inline Thread* thread_of(Timer* timer) {
  return reinterpret_cast<Thread*>(reinterpret_cast<char*>(timer) - offsetof(Thread, timer));
}
}  // namespace st
