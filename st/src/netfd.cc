// Descriptor objects, and waiting for descriptors without transferring anything.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "io.h"
#include "scheduler.h"

namespace st {
namespace {

// Freed objects, the latest first. They are kept as long as the scheduler: a server needs them
// again, and a stale handle then still points at an object.
thread_local Netfd* free_netfds = nullptr;
constexpr int kNetfdsAtOnce = 64;  // a page

// Memory for so many. One object's place more than needed: it begins with a link to the block
// before, and the first object is moved up to where a cache line begins.
struct Block {
  Block* before;
};
static_assert(sizeof(Block) + alignof(Netfd) <= sizeof(Netfd) + alignof(max_align_t));
thread_local Block* blocks = nullptr;

Netfd* allocate() {
  if (!free_netfds) {
    auto* block = static_cast<Block*>(calloc(kNetfdsAtOnce + 1, sizeof(Netfd)));
    if (!block) return nullptr;
    block->before = blocks;
    blocks = block;
    auto* fresh =
        reinterpret_cast<Netfd*>((reinterpret_cast<uintptr_t>(block + 1) + alignof(Netfd) - 1) &
                                 ~(uintptr_t{alignof(Netfd)} - 1));
    for (int i = 0; i < kNetfdsAtOnce; ++i) {
      fresh[i].next_free = free_netfds;
      free_netfds = &fresh[i];
    }
  }
  Netfd* netfd = free_netfds;
  free_netfds = netfd->next_free;
  return netfd;
}

// Takes the object, not the descriptor, away. False if it was already free.
bool release(Netfd* netfd) {
  if (!netfd->open) return false;
  netfd->open = false;
  if (netfd->value && netfd->destructor) netfd->destructor(netfd->value);
  netfd->value = nullptr;
  netfd->next_free = free_netfds;
  free_netfds = netfd;
  return true;
}

bool set_nonblocking(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && ((flags & O_NONBLOCK) || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
}

}  // namespace

Netfd* netfd_wrap(int fd, Netfd::Tcp tcp) {
  const Mechanism* mechanism = scheduler.events.selected();
  if (mechanism && mechanism->fd_limit && fd >= mechanism->fd_limit) {
    errno = EMFILE;
    return nullptr;
  }
  Watch* watch = scheduler.events.watch(fd);
  Netfd* netfd = watch ? allocate() : nullptr;
  if (!netfd) return nullptr;
  *netfd = {fd, true, tcp, watch, watch->generation, nullptr, nullptr, nullptr};
  scheduler.events.wrapped(fd, *watch);
  return netfd;
}

bool netfd_is_tcp(Netfd* netfd) {
  if (netfd->tcp == Netfd::Tcp::unknown) {
    const int error = errno;
    int protocol = 0;
    socklen_t size = sizeof(protocol);
    const bool known = getsockopt(netfd->fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0;
    netfd->tcp = known && protocol == IPPROTO_TCP ? Netfd::Tcp::yes : Netfd::Tcp::no;
    errno = error;
  }
  return netfd->tcp == Netfd::Tcp::yes;
}

void netfds_end() {
  while (Block* block = blocks) {
    blocks = block->before;
    free(block);
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
  return st::netfd_wrap(osfd, Netfd::Tcp::unknown);
}

st_netfd_t st_netfd_open_socket(int osfd) {
  int on = 1;
  if (ioctl(osfd, FIONBIO, &on) != 0 && !st::set_nonblocking(osfd)) return nullptr;
  return st::netfd_wrap(osfd, Netfd::Tcp::unknown);
}

void st_netfd_free(st_netfd_t fd) {
  st::Watch* watch = fd->watch;
  const int osfd = fd->fd;
  const uint32_t generation = fd->generation;
  // One of two wrappers may be freed after the descriptor was closed through the other.
  if (st::release(fd) && generation == watch->generation) scheduler.events.unwrapped(osfd, *watch);
}

int st_netfd_close(st_netfd_t fd) {
  if (!fd->watch->waiters.empty()) {
    errno = EBUSY;
    return -1;
  }
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
  if (osfd < 0) return nullptr;
  st_netfd_t netfd = st::netfd_wrap(osfd, Netfd::Tcp::no);
  if (!netfd) {
    const int error = errno;
    close(osfd);
    errno = error;
  }
  return netfd;
}

int st_netfd_poll(st_netfd_t fd, int how, st_utime_t timeout) {
  if (scheduler.take_interrupt()) return -1;
  if (how == 0 || (how & ~scheduler.events.selected()->events)) {
    errno = EINVAL;
    return -1;
  }
  return st::netfd_wait(fd, static_cast<short>(how), timeout) ? 0 : -1;
}
