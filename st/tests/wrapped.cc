#include "wrapped.h"

#include <errno.h>
#ifdef ST_HAVE_IO_URING
#include <liburing.h>
#endif
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

namespace st_tests {
namespace {

// Plain memory, because malloc asks it too. Tests of faults have one kernel thread.
constexpr Call kNone = static_cast<Call>(-1);
Call failing = kNone;
int error_to_report;
int calls_to_skip;
int calls_to_fail;
int failed;

bool fails(Call call) {
  if (call != failing || calls_to_skip-- > 0 || failed >= calls_to_fail) return false;
  ++failed;
  errno = error_to_report;
  return true;
}

}  // namespace

Failing::Failing(Call call, int error, int skipped, int count) {
  error_to_report = error;
  calls_to_skip = skipped;
  calls_to_fail = count;
  failed = 0;
  failing = call;
}

Failing::~Failing() { failing = kNone; }

bool Failing::happened() const { return failed > 0; }

}  // namespace st_tests

using st_tests::Call;
using st_tests::fails;

// `name` reports `failure` when it is its turn to fail, and is itself otherwise.
#define WRAP(result, failure, name, parameters, arguments)        \
  extern "C" result __real_##name parameters;                     \
  extern "C" result __wrap_##name parameters {                    \
    return fails(Call::name) ? failure : __real_##name arguments; \
  }

WRAP(int, -1, accept4, (int fd, sockaddr* to, socklen_t* size, int flags), (fd, to, size, flags))
WRAP(void*, nullptr, aligned_alloc, (size_t alignment, size_t size), (alignment, size))
WRAP(void*, nullptr, calloc, (size_t count, size_t size), (count, size))
WRAP(int, -1, connect, (int fd, const sockaddr* to, socklen_t size), (fd, to, size))
WRAP(int, -1, dup3, (int fd, int to, int flags), (fd, to, flags))
WRAP(int, -1, epoll_create1, (int flags), (flags))
WRAP(int, -1, epoll_ctl, (int epoll, int what, int fd, epoll_event* event),
     (epoll, what, fd, event))
WRAP(int, -1, epoll_wait, (int fd, epoll_event* to, int count, int timeout),
     (fd, to, count, timeout))
WRAP(int, -1, eventfd, (unsigned count, int flags), (count, flags))
WRAP(int, -1, getrlimit, (int which, rlimit* limit), (which, limit))
WRAP(int, -1, getsockopt, (int fd, int level, int name, void* value, socklen_t* size),
     (fd, level, name, value, size))
WRAP(int, -1, madvise, (void* start, size_t size, int advice), (start, size, advice))
WRAP(void*, nullptr, malloc, (size_t size), (size))
WRAP(void*, MAP_FAILED, mmap, (void* at, size_t size, int access, int flags, int fd, off_t offset),
     (at, size, access, flags, fd, offset))
WRAP(int, -1, mprotect, (void* start, size_t size, int access), (start, size, access))
WRAP(int, -1, poll, (pollfd * entries, nfds_t count, int timeout), (entries, count, timeout))
WRAP(int, -1, ppoll,
     (pollfd * entries, nfds_t count, const timespec* timeout, const sigset_t* mask),
     (entries, count, timeout, mask))
WRAP(int, errno, pthread_atfork, (void (*before)(), void (*parent)(), void (*child)()),
     (before, parent, child))
WRAP(int, errno, pthread_create,
     (pthread_t * thread, const pthread_attr_t* how, void* (*start)(void*), void* argument),
     (thread, how, start, argument))
WRAP(int, errno, pthread_key_create, (pthread_key_t * key, void (*destructor)(void*)),
     (key, destructor))
WRAP(int, errno, pthread_setspecific, (pthread_key_t key, const void* value), (key, value))
WRAP(ssize_t, -1, read, (int fd, void* to, size_t size), (fd, to, size))
WRAP(ssize_t, -1, readv, (int fd, const iovec* to, int count), (fd, to, count))
WRAP(void*, nullptr, realloc, (void* memory, size_t size), (memory, size))
WRAP(ssize_t, -1, recv, (int fd, void* to, size_t size, int flags), (fd, to, size, flags))
WRAP(int, -1, select,
     (int end, fd_set* readable, fd_set* writable, fd_set* urgent, timeval* timeout),
     (end, readable, writable, urgent, timeout))
WRAP(ssize_t, -1, send, (int fd, const void* from, size_t size, int flags), (fd, from, size, flags))
WRAP(ssize_t, -1, recvmsg, (int fd, msghdr* message, int flags), (fd, message, flags))
WRAP(ssize_t, -1, sendmsg, (int fd, const msghdr* message, int flags), (fd, message, flags))
WRAP(int, -1, setrlimit, (int which, const rlimit* limit), (which, limit))
WRAP(int, -1, sigaction, (int number, const struct sigaction* to, struct sigaction* from),
     (number, to, from))
WRAP(int, -1, sigaltstack, (const stack_t* to, stack_t* from), (to, from))
WRAP(char*, nullptr, strdup, (const char* text), (text))
WRAP(ssize_t, -1, write, (int fd, const void* from, size_t size), (fd, from, size))
WRAP(ssize_t, -1, writev, (int fd, const iovec* from, int count), (fd, from, count))

// A close that fails has closed all the same.
extern "C" int __real_close(int fd);
extern "C" int __wrap_close(int fd) {
  const int closed = __real_close(fd);
  return fails(Call::close) ? -1 : closed;
}

// liburing returns its errors, negative.
#ifdef ST_HAVE_IO_URING
WRAP(int, -errno, io_uring_queue_init_params,
     (unsigned entries, io_uring* ring, io_uring_params* how), (entries, ring, how))
WRAP(int, -errno, io_uring_submit, (io_uring * ring), (ring))
WRAP(int, -errno, io_uring_submit_and_get_events, (io_uring * ring), (ring))
WRAP(int, -errno, io_uring_submit_and_wait_timeout,
     (io_uring * ring, io_uring_cqe** first, unsigned count, __kernel_timespec* timeout,
      sigset_t* mask),
     (ring, first, count, timeout, mask))
#endif

// Those that take a variable number of arguments: as many are passed on as the library gives them.
#define WRAP_VARIADIC(result, name, parameters, arguments, last, count) \
  extern "C" result __real_##name parameters;                           \
  extern "C" result __wrap_##name parameters {                          \
    if (fails(Call::name)) return -1;                                   \
    va_list list;                                                       \
    va_start(list, last);                                               \
    long a[count];                                                      \
    for (long& argument : a) argument = va_arg(list, long);             \
    va_end(list);                                                       \
    return __real_##name arguments;                                     \
  }

WRAP_VARIADIC(int, fcntl, (int fd, int command, ...), (fd, command, a[0]), command, 1)
WRAP_VARIADIC(int, ioctl, (int fd, unsigned long request, ...), (fd, request, a[0]), request, 1)
WRAP_VARIADIC(int, open, (const char* path, int flags, ...), (path, flags, a[0]), flags, 1)
WRAP_VARIADIC(long, syscall, (long number, ...), (number, a[0], a[1], a[2], a[3], a[4], a[5]),
              number, 6)

namespace st_tests {

const char* name_of(Call call) {
  static const char* const names[] = {"accept4",
                                      "aligned_alloc",
                                      "calloc",
                                      "close",
                                      "connect",
                                      "dup3",
                                      "epoll_create1",
                                      "epoll_ctl",
                                      "epoll_wait",
                                      "eventfd",
                                      "fcntl",
                                      "getrlimit",
                                      "getsockopt",
                                      "ioctl",
                                      "io_uring_queue_init_params",
                                      "io_uring_submit",
                                      "io_uring_submit_and_get_events",
                                      "io_uring_submit_and_wait_timeout",
                                      "madvise",
                                      "malloc",
                                      "mmap",
                                      "mprotect",
                                      "open",
                                      "poll",
                                      "ppoll",
                                      "pthread_atfork",
                                      "pthread_create",
                                      "pthread_key_create",
                                      "pthread_setspecific",
                                      "read",
                                      "readv",
                                      "realloc",
                                      "recv",
                                      "recvmsg",
                                      "select",
                                      "send",
                                      "sendmsg",
                                      "setrlimit",
                                      "sigaction",
                                      "sigaltstack",
                                      "strdup",
                                      "syscall",
                                      "write",
                                      "writev"};
  return names[static_cast<int>(call)];
}

}  // namespace st_tests
