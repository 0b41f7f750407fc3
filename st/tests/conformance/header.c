// The header: macros, types, and all 61 prototypes. Most of it is proved by the compiler; the case
// proves that they link.
#include <string.h>

#include "conformance.h"

_Static_assert(ST_VERSION_MAJOR == 1 && ST_VERSION_MINOR == 9,
               "the version that programs test for");
_Static_assert(ST_UTIME_NO_TIMEOUT == ~0ULL, "all ones");
_Static_assert(ST_UTIME_NO_WAIT == 0, "zero");
_Static_assert(ST_EVENTSYS_DEFAULT == 0 && ST_EVENTSYS_SELECT == 1, "part of the ABI");
_Static_assert(ST_EVENTSYS_POLL == 2 && ST_EVENTSYS_ALT == 3, "part of the ABI");
_Static_assert(sizeof(st_utime_t) == 8 && (st_utime_t)-1 > 0, "64 bits, unsigned");
#ifndef ST_SWITCH_CB
#error "programs test for ST_SWITCH_CB before they use the switch callbacks"
#endif
#ifndef ETIME
#error "st.h supplies ETIME where the platform does not"
#endif

// A difference between a declaration of the header and one of these is a compile-time error.
#define PROTOTYPES(X)                                                                        \
  X(int, st_init, (void))                                                                    \
  X(int, st_getfdlimit, (void))                                                              \
  X(int, st_set_eventsys, (int))                                                             \
  X(int, st_get_eventsys, (void))                                                            \
  X(const char*, st_get_eventsys_name, (void))                                               \
  X(st_switch_cb_t, st_set_switch_in_cb, (st_switch_cb_t))                                   \
  X(st_switch_cb_t, st_set_switch_out_cb, (st_switch_cb_t))                                  \
  X(st_thread_t, st_thread_self, (void))                                                     \
  X(void, st_thread_exit, (void*))                                                           \
  X(int, st_thread_join, (st_thread_t, void**))                                              \
  X(void, st_thread_interrupt, (st_thread_t))                                                \
  X(st_thread_t, st_thread_create, (void* (*)(void*), void*, int, int))                      \
  X(int, st_randomize_stacks, (int))                                                         \
  X(int, st_set_utime_function, (st_utime_t(*)(void)))                                       \
  X(st_utime_t, st_utime, (void))                                                            \
  X(st_utime_t, st_utime_last_clock, (void))                                                 \
  X(int, st_timecache_set, (int))                                                            \
  X(time_t, st_time, (void))                                                                 \
  X(int, st_usleep, (st_utime_t))                                                            \
  X(int, st_sleep, (int))                                                                    \
  X(st_cond_t, st_cond_new, (void))                                                          \
  X(int, st_cond_destroy, (st_cond_t))                                                       \
  X(int, st_cond_timedwait, (st_cond_t, st_utime_t))                                         \
  X(int, st_cond_wait, (st_cond_t))                                                          \
  X(int, st_cond_signal, (st_cond_t))                                                        \
  X(int, st_cond_broadcast, (st_cond_t))                                                     \
  X(st_mutex_t, st_mutex_new, (void))                                                        \
  X(int, st_mutex_destroy, (st_mutex_t))                                                     \
  X(int, st_mutex_lock, (st_mutex_t))                                                        \
  X(int, st_mutex_unlock, (st_mutex_t))                                                      \
  X(int, st_mutex_trylock, (st_mutex_t))                                                     \
  X(int, st_key_create, (int*, void (*)(void*)))                                             \
  X(int, st_key_getlimit, (void))                                                            \
  X(int, st_thread_setspecific, (int, void*))                                                \
  X(void*, st_thread_getspecific, (int))                                                     \
  X(st_netfd_t, st_netfd_open, (int))                                                        \
  X(st_netfd_t, st_netfd_open_socket, (int))                                                 \
  X(void, st_netfd_free, (st_netfd_t))                                                       \
  X(int, st_netfd_close, (st_netfd_t))                                                       \
  X(int, st_netfd_fileno, (st_netfd_t))                                                      \
  X(void, st_netfd_setspecific, (st_netfd_t, void*, void (*)(void*)))                        \
  X(void*, st_netfd_getspecific, (st_netfd_t))                                               \
  X(int, st_netfd_serialize_accept, (st_netfd_t))                                            \
  X(int, st_netfd_poll, (st_netfd_t, int, st_utime_t))                                       \
  X(int, st_poll, (struct pollfd*, int, st_utime_t))                                         \
  X(st_netfd_t, st_accept, (st_netfd_t, struct sockaddr*, int*, st_utime_t))                 \
  X(int, st_connect, (st_netfd_t, const struct sockaddr*, int, st_utime_t))                  \
  X(ssize_t, st_read, (st_netfd_t, void*, size_t, st_utime_t))                               \
  X(ssize_t, st_read_fully, (st_netfd_t, void*, size_t, st_utime_t))                         \
  X(int, st_read_resid, (st_netfd_t, void*, size_t*, st_utime_t))                            \
  X(ssize_t, st_readv, (st_netfd_t, const struct iovec*, int, st_utime_t))                   \
  X(int, st_readv_resid, (st_netfd_t, struct iovec**, int*, st_utime_t))                     \
  X(ssize_t, st_write, (st_netfd_t, const void*, size_t, st_utime_t))                        \
  X(int, st_write_resid, (st_netfd_t, const void*, size_t*, st_utime_t))                     \
  X(ssize_t, st_writev, (st_netfd_t, const struct iovec*, int, st_utime_t))                  \
  X(int, st_writev_resid, (st_netfd_t, struct iovec**, int*, st_utime_t))                    \
  X(int, st_recvfrom, (st_netfd_t, void*, int, struct sockaddr*, int*, st_utime_t))          \
  X(int, st_sendto, (st_netfd_t, const void*, int, const struct sockaddr*, int, st_utime_t)) \
  X(int, st_recvmsg, (st_netfd_t, struct msghdr*, int, st_utime_t))                          \
  X(int, st_sendmsg, (st_netfd_t, const struct msghdr*, int, st_utime_t))                    \
  X(st_netfd_t, st_open, (const char*, int, mode_t))

#define TYPED_POINTER(result, name, arguments) \
  static result(*volatile pointer_to_##name) arguments = name;
PROTOTYPES(TYPED_POINTER)

CASE_BEFORE_INIT(header, all_61_functions_link) {
  int count = 0;
#define PRESENT(result, name, arguments) \
  CHECK(pointer_to_##name != NULL);      \
  ++count;
  PROTOTYPES(PRESENT)
  CHECK_EQ(count, 61);
}

CASE_BEFORE_INIT(header, version_text) { CHECK_TEXT(ST_VERSION, "1.9"); }
