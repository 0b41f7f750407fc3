// State Threads 1.9 as Debian ships it. Its functions have the names of ours, so it is not linked
// but loaded under a name space of its own. The benchmarks are those of this library, compiled a
// second time (state_threads.h).
#include <dlfcn.h>
#include <stdio.h>

#include "state_threads.h"

namespace bench {
namespace {

template <class Function>
bool find(void* library, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, name));
  if (!*function) fprintf(stderr, "libst is not measured: %s\n", dlerror());
  return *function;
}

bool load() {
  // By path, since ours has the same soname.
  void* library = dlopen(ST_BENCH_LIBST, RTLD_NOW | RTLD_LOCAL);
  if (!library) return false;
  decltype(&st_init) init;
  decltype(&st_set_eventsys) set_eventsys;
  using L = Libst;
  return find(library, "st_init", &init) && find(library, "st_set_eventsys", &set_eventsys) &&
         find(library, "st_thread_create", &L::thread_create) &&
         find(library, "st_thread_join", &L::thread_join) &&
         find(library, "st_usleep", &L::usleep) && find(library, "st_cond_new", &L::cond_new) &&
         find(library, "st_cond_destroy", &L::cond_destroy) &&
         find(library, "st_cond_wait", &L::cond_wait) &&
         find(library, "st_cond_timedwait", &L::cond_timedwait) &&
         find(library, "st_cond_signal", &L::cond_signal) &&
         find(library, "st_mutex_new", &L::mutex_new) &&
         find(library, "st_mutex_destroy", &L::mutex_destroy) &&
         find(library, "st_mutex_lock", &L::mutex_lock) &&
         find(library, "st_mutex_unlock", &L::mutex_unlock) &&
         find(library, "st_netfd_open", &L::netfd_open) &&
         find(library, "st_netfd_close", &L::netfd_close) && find(library, "st_read", &L::read) &&
         // Debian's build has no epoll; and with select(2), which it takes when asked for epoll, it
         // would lower the process' limit of descriptors to 1,024, and ours with it.
         set_eventsys(ST_EVENTSYS_POLL) == 0 && init() == 0;
}

}  // namespace

bool Libst::present() {
  static const bool loaded = load();
  return loaded;
}

constinit decltype(&st_thread_create) Libst::thread_create = nullptr;
constinit decltype(&st_thread_join) Libst::thread_join = nullptr;
constinit decltype(&st_usleep) Libst::usleep = nullptr;
constinit decltype(&st_cond_new) Libst::cond_new = nullptr;
constinit decltype(&st_cond_destroy) Libst::cond_destroy = nullptr;
constinit decltype(&st_cond_wait) Libst::cond_wait = nullptr;
constinit decltype(&st_cond_timedwait) Libst::cond_timedwait = nullptr;
constinit decltype(&st_cond_signal) Libst::cond_signal = nullptr;
constinit decltype(&st_mutex_new) Libst::mutex_new = nullptr;
constinit decltype(&st_mutex_destroy) Libst::mutex_destroy = nullptr;
constinit decltype(&st_mutex_lock) Libst::mutex_lock = nullptr;
constinit decltype(&st_mutex_unlock) Libst::mutex_unlock = nullptr;
constinit decltype(&st_netfd_open) Libst::netfd_open = nullptr;
constinit decltype(&st_netfd_close) Libst::netfd_close = nullptr;
constinit decltype(&st_read) Libst::read = nullptr;

}  // namespace bench
