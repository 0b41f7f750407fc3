#include "bell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "errors.h"
#include "scheduler.h"

namespace st {
namespace {

thread_local constinit List<_st_bell> bells;

}  // namespace

void bells_after_fork() {
  for (_st_bell* bell = bells.front(); bell; bell = bells.after(bell)) {
    const int fresh = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ST_CHECK(fresh >= 0 && dup3(fresh, bell->netfd->fd, O_CLOEXEC) >= 0,
             "no eventfd for a bell after fork");
    close(fresh);
  }
}

void bells_end() {
  while (_st_bell* bell = bells.front()) {
    close(bell->netfd->fd);
    bell->unlink();
    free(bell);
  }
}

}  // namespace st

st_bell_t st_bell_new() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) return nullptr;
  auto* bell = static_cast<st_bell_t>(calloc(1, sizeof(_st_bell)));
  if (bell) bell->netfd = st::netfd_wrap(fd, st::Tcp::no);
  if (!bell || !bell->netfd) {
    const st::ErrnoKept kept;
    free(bell);
    close(fd);
    return nullptr;
  }
  st::bells.push_back(bell);
  return bell;
}

int st_bell_destroy(st_bell_t bell) {
  if (st_netfd_close(bell->netfd) != 0 && errno == EBUSY) return -1;
  bell->unlink();
  free(bell);
  return 0;
}

void st_bell_ring(st_bell_t bell) {
  const st::ErrnoKept kept;
  const uint64_t one = 1;
  // Full at 2^64 - 2 rings: then it is ringing anyhow.
  [[maybe_unused]] const ssize_t written = write(bell->netfd->fd, &one, sizeof(one));
}

int st_bell_wait(st_bell_t bell, st_utime_t timeout) {
  uint64_t rings = 0;
  if (st_read(bell->netfd, &rings, sizeof(rings), timeout) < 0) return -1;
  return rings < 0x7fffffff ? static_cast<int>(rings) : 0x7fffffff;
}
