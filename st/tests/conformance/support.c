#include "support.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

static char written[1024];
static size_t written_count;

void letter(char which) {
  CHECK(written_count < sizeof written - 1);
  written[written_count++] = which;
  written[written_count] = '\0';
}

const char* letters(void) { return written; }

void forget_letters(void) {
  written_count = 0;
  written[0] = '\0';
}

st_thread_t spawn(void* (*start)(void*), void* argument) {
  st_thread_t thread = st_thread_create(start, argument, 1, 0);
  CHECK(thread != NULL);
  return thread;
}

void* join(st_thread_t thread) {
  void* value = NULL;
  CHECK_EQ(st_thread_join(thread, &value), 0);
  return value;
}

void pass(void) { CHECK_EQ(st_usleep(0), 0); }

void* write_letter(void* text) {
  letter(*(const char*)text);
  return text;
}

void* sleep_until_told(__attribute__((unused)) void* unused) {
  CHECK_FAILS(st_usleep(ST_UTIME_NO_TIMEOUT), EINTR);
  return NULL;
}

void raw_pair(int type, int end[2]) {
  CHECK_EQ(socketpair(AF_UNIX, type, 0, end), 0);
  const int smallest = 1;  // the kernel rounds up to its own minimum, about 4 KiB
  for (int i = 0; i < 2; ++i)
    CHECK_EQ(setsockopt(end[i], SOL_SOCKET, SO_SNDBUF, &smallest, sizeof smallest), 0);
}

static void wrap(const int osfd[2], st_netfd_t end[2]) {
  for (int i = 0; i < 2; ++i) {
    end[i] = st_netfd_open(osfd[i]);
    CHECK(end[i] != NULL);
  }
}

void stream_pair(st_netfd_t end[2]) {
  int osfd[2];
  raw_pair(SOCK_STREAM, osfd);
  wrap(osfd, end);
}

void pipe_pair(st_netfd_t end[2]) {
  int osfd[2];
  CHECK_EQ(pipe(osfd), 0);
  wrap(osfd, end);
}

size_t fill(int osfd) {
  static const char block[1024];
  size_t total = 0;
  // Whole blocks first, then single bytes: afterwards not even one byte fits.
  for (size_t size = sizeof block; size > 0; size = size > 1 ? 1 : 0) {
    ssize_t sent;
    while ((sent = write(osfd, block, size)) > 0) total += (size_t)sent;
    CHECK(sent == -1 && errno == EAGAIN);
  }
  return total;
}

size_t drain(int osfd) {
  char block[4096];
  size_t total = 0;
  ssize_t got;
  while ((got = read(osfd, block, sizeof block)) > 0) total += (size_t)got;
  CHECK(got == 0 || errno == EAGAIN);
  return total;
}

void put(int osfd, const char* text) { CHECK_EQ(write(osfd, text, strlen(text)), strlen(text)); }

static struct sockaddr_in loopback(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

st_netfd_t tcp_socket(void) {
  const int osfd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(osfd >= 0);
  st_netfd_t wrapped = st_netfd_open_socket(osfd);
  CHECK(wrapped != NULL);
  return wrapped;
}

st_netfd_t open_listener(int backlog, struct sockaddr_in* address) {
  st_netfd_t listener = tcp_socket();
  const int osfd = st_netfd_fileno(listener);
  *address = loopback();
  socklen_t length = sizeof *address;
  CHECK_EQ(bind(osfd, (struct sockaddr*)address, sizeof *address), 0);
  CHECK_EQ(listen(osfd, backlog), 0);
  CHECK_EQ(getsockname(osfd, (struct sockaddr*)address, &length), 0);
  return listener;
}

int raw_client(const struct sockaddr_in* address) {
  const int osfd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  CHECK(osfd >= 0);
  CHECK(connect(osfd, (const struct sockaddr*)address, sizeof *address) == 0 ||
        errno == EINPROGRESS);
  return osfd;
}

st_netfd_t tcp_connection(int* peer) {
  struct sockaddr_in address;
  st_netfd_t listener = open_listener(1, &address);
  *peer = raw_client(&address);
  const int on =
      1;  // otherwise a second small write waits for the acknowledgement of the first, 40 ms
  CHECK_EQ(setsockopt(*peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
  st_netfd_t accepted = st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT);
  CHECK(accepted != NULL);
  CHECK_EQ(st_netfd_close(listener), 0);
  return accepted;
}

void until_readable(int osfd, int bytes) {
  int arrived = 0;
  do CHECK_EQ(ioctl(osfd, FIONREAD, &arrived), 0);
  while (arrived < bytes);
}

int status_of_child(void (*body)(void)) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    body();
    _exit(99);  // a body that returns did not end in the way that its case is about
  }
  int status = 0;
  CHECK_EQ(waitpid(child, &status, 0), child);
  return status;
}

static st_utime_t still_now = 1000000;

static st_utime_t still_clock(void) { return still_now; }

void start_with_still_clock(void) {
  CHECK_EQ(st_set_utime_function(still_clock), 0);
  start_library();
}

void advance_clock(st_utime_t microseconds) { still_now += microseconds; }

void advance_clock_and_run(st_utime_t microseconds) {
  advance_clock(microseconds);
  pass();
  pass();
}
