// Internal to st's tests: calls into the C library that fail on request. The linker puts wrapped.cc
// between everything in the program (--wrap, see tests.cmake) and the C library.
#pragma once

namespace st_tests {

enum class Call {
  accept4,
  aligned_alloc,
  calloc,
  close,
  connect,
  dup3,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  eventfd,
  fcntl,
  getrlimit,
  getsockopt,
  ioctl,
  io_uring_queue_init_params,
  io_uring_submit,
  io_uring_submit_and_get_events,
  io_uring_submit_and_wait_timeout,
  madvise,
  malloc,
  mmap,
  mprotect,
  open,
  poll,
  ppoll,
  pthread_atfork,
  pthread_create,
  pthread_key_create,
  pthread_setspecific,
  read,
  readv,
  realloc,
  recv,
  recvmsg,
  select,
  send,
  sendmsg,
  setrlimit,
  sigaction,
  sigaltstack,
  strdup,
  syscall,  // epoll_pwait2, which the C library of some systems does not have
  write,
  writev,
};
const char* name_of(Call call);

// While it exists, calls of one kind fail with `error`: `count` of them, after the first `skipped`.
// One at a time.
class Failing {
 public:
  Failing(Call call, int error, int skipped = 0, int count = 1);
  ~Failing();
  Failing(const Failing&) = delete;
  Failing& operator=(const Failing&) = delete;

  bool happened() const;  // at least once
};

}  // namespace st_tests
