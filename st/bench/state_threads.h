// Internal: benchmarks only. The two libraries that have the interface of State Threads 1.9, so
// that one benchmark can be compiled for both.
#pragma once

#include <st.h>

#include "ask.h"

namespace bench {

// This library, called directly.
struct Own {
  static bool present() { return st_init() == 0; }
  static void give_way() { st_thread_yield(); }

  static constexpr auto* thread_create = st_thread_create;
  static constexpr auto* thread_join = st_thread_join;
  static constexpr auto* usleep = st_usleep;
  static constexpr auto* cond_new = st_cond_new;
  static constexpr auto* cond_destroy = st_cond_destroy;
  static constexpr auto* cond_wait = st_cond_wait;
  static constexpr auto* cond_timedwait = st_cond_timedwait;
  static constexpr auto* cond_signal = st_cond_signal;
  static constexpr auto* mutex_new = st_mutex_new;
  static constexpr auto* mutex_destroy = st_mutex_destroy;
  static constexpr auto* mutex_lock = st_mutex_lock;
  static constexpr auto* mutex_unlock = st_mutex_unlock;
  static constexpr auto* netfd_open = st_netfd_open;
  static constexpr auto* netfd_close = st_netfd_close;
  static constexpr auto* read = st_read;
};

// State Threads 1.9 as Debian ships it (peers/libst.cc).
struct Libst {
  static bool present();  // loads it, on the first call; it waits with poll(2)
  // 1.9 has no other way.
  static void give_way() { usleep(0); }

  static decltype(&st_thread_create) thread_create;
  static decltype(&st_thread_join) thread_join;
  static decltype(&st_usleep) usleep;
  static decltype(&st_cond_new) cond_new;
  static decltype(&st_cond_destroy) cond_destroy;
  static decltype(&st_cond_wait) cond_wait;
  static decltype(&st_cond_timedwait) cond_timedwait;
  static decltype(&st_cond_signal) cond_signal;
  static decltype(&st_mutex_new) mutex_new;
  static decltype(&st_mutex_destroy) mutex_destroy;
  static decltype(&st_mutex_lock) mutex_lock;
  static decltype(&st_mutex_unlock) mutex_unlock;
  static decltype(&st_netfd_open) netfd_open;
  static decltype(&st_netfd_close) netfd_close;
  static decltype(&st_read) read;
};

// Asks both; `Libst` only if it is installed.
inline bool ask_both(const std::string& question, void (*own)(benchmark::State&),
                     void (*libst)(benchmark::State&), const std::vector<int64_t>& arguments = {}) {
  if (Own::present()) ask(question, "st", own, arguments);
  if (Libst::present()) ask(question, "libst", libst, arguments);
  return true;
}

// Threads of one library that run until they are told to stop, and are joined then.
template <class Library>
class Threads {
 public:
  void add(void* (*start)(void*), void* arg) {
    threads_.push_back(Library::thread_create(start, arg, 1, kStackBytes));
  }
  // Lets every thread run until it waits. The sleep ends when all have, in both libraries.
  static void settle() { Library::usleep(0); }
  void join() {
    for (const st_thread_t thread : threads_) Library::thread_join(thread, nullptr);
    threads_.clear();
  }

 private:
  std::vector<st_thread_t> threads_;
};

}  // namespace bench
