// Descriptor objects, and waiting for descriptors without transferring anything.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "errors.h"
#include "io.h"
#include "scheduler.h"

namespace st {
namespace {

// Objects beside those that live in a Watch: the free ones, the latest first, and all of them. They
// are kept as long as the scheduler, so that a stale handle still points at an object.
struct Extra {
  Netfd netfd;
  Extra* before;
};
thread_local Netfd* free_netfds = nullptr;
thread_local Extra* extras = nullptr;

Netfd* allocate(Watch* watch) {
  if (watch->first.fd < 0) return &watch->first;
  if (!free_netfds) {
    auto* extra = static_cast<Extra*>(malloc(sizeof(Extra)));
    if (!extra) return nullptr;
    extra->before = extras;
    extras = extra;
    return &extra->netfd;
  }
  Netfd* netfd = free_netfds;
  free_netfds = netfd->next_free;
  return netfd;
}

// Takes the object, not the descriptor, away. False if it was already free.
bool release(Netfd* netfd) {
  if (netfd->fd < 0) return false;
  netfd->fd = -1;
  if (netfd->value && netfd->destructor) netfd->destructor(netfd->value);
  netfd->value = nullptr;
  if (netfd == &netfd->watch->first) return true;
  netfd->next_free = free_netfds;
  free_netfds = netfd;
  return true;
}

bool set_nonblocking(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && ((flags & O_NONBLOCK) || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
}

}  // namespace

Netfd* netfd_wrap(int fd, Tcp tcp) {
  const Mechanism* mechanism = scheduler.events.selected();
  if (mechanism && mechanism->fd_limit && fd >= mechanism->fd_limit) return fail(EMFILE);
  Watch* watch = scheduler.events.watch(fd);
  Netfd* netfd = watch ? allocate(watch) : nullptr;
  if (!netfd) return nullptr;
  *netfd = {watch, fd, watch->generation, {nullptr}, nullptr};
  watch->tcp = tcp;
  watch->home = scheduler.number();
  scheduler.events.wrapped(fd, *watch);
  return netfd;
}

Netfd* netfd_wrap_or_close(int fd, Tcp tcp) {
  Netfd* netfd = netfd_wrap(fd, tcp);
  const ErrnoKept kept;
  if (!netfd) close(fd);
  return netfd;
}

bool netfd_is_tcp(Netfd* netfd) {
  if (netfd->watch->tcp == Tcp::unknown) {
    const ErrnoKept kept;
    int protocol = 0;
    socklen_t size = sizeof(protocol);
    const bool known = getsockopt(netfd->fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0;
    netfd->watch->tcp = known && protocol == IPPROTO_TCP ? Tcp::yes : Tcp::no;
  }
  return netfd->watch->tcp == Tcp::yes;
}

void netfds_end() {
  while (Extra* extra = extras) {
    extras = extra->before;
    free(extra);
  }
  free_netfds = nullptr;
}

[[gnu::noinline]] bool netfd_wait(Netfd* netfd, short what, st_utime_t timeout) {
  return netfd_wait_inline(netfd, what, timeout);
}

}  // namespace st

using st::Netfd;
using st::scheduler;

st_netfd_t st_netfd_open(int osfd) {
  if (!st::set_nonblocking(osfd)) return nullptr;
  return st::netfd_wrap(osfd, st::Tcp::unknown);
}

st_netfd_t st_netfd_open_socket(int osfd) {
  int on = 1;
  if (ioctl(osfd, FIONBIO, &on) != 0 && !st::set_nonblocking(osfd)) return nullptr;
  return st::netfd_wrap(osfd, st::Tcp::unknown);
}

void st_netfd_free(st_netfd_t fd) {
  ST_CHECK(!scheduler.is_foreign(fd->watch->home), st::kForeign);
  st::Watch* watch = fd->watch;
  const int osfd = fd->fd;
  const uint32_t generation = fd->generation;
  // One of two wrappers may be freed after the descriptor was closed through the other.
  if (st::release(fd) && generation == watch->generation) scheduler.events.unwrapped(osfd, *watch);
}

int st_netfd_close(st_netfd_t fd) {
  ST_CHECK(!scheduler.is_foreign(fd->watch->home), st::kForeign);
  if (fd->fd < 0) return st::fail(EBADF);
  if (!fd->watch->waiters.empty()) return st::fail(EBUSY);
  const int osfd = fd->fd;
  scheduler.events.closing(osfd, *fd->watch);
  st::release(fd);
  return close(osfd);
}

int st_netfd_fileno(st_netfd_t fd) { return fd->fd; }

void st_netfd_setspecific(st_netfd_t fd, void* value, void (*destructor)(void*)) {
  if (fd->value && fd->value != value && fd->destructor) fd->destructor(fd->value);
  fd->value = value;
  fd->destructor = destructor;
}

void* st_netfd_getspecific(st_netfd_t fd) { return fd->value; }

int st_netfd_serialize_accept(st_netfd_t) { return 0; }

st_netfd_t st_open(const char* path, int oflags, mode_t mode) {
  int osfd;
  do {
    osfd = open(path, oflags | O_NONBLOCK, mode);
  } while (osfd < 0 && errno == EINTR);
  return osfd < 0 ? nullptr : st::netfd_wrap_or_close(osfd, st::Tcp::no);
}

int st_netfd_poll(st_netfd_t fd, int how, st_utime_t timeout) {
  if (scheduler.take_interrupt()) return -1;
  if (how == 0 || (how & ~scheduler.events.selected()->events)) return st::fail(EINVAL);
  return st::netfd_wait(fd, static_cast<short>(how), timeout) ? 0 : -1;
}
