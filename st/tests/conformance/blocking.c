#include "blocking.h"

// What the calls below work on; each case has a process, and so a copy, of its own.
static st_netfd_t near_end;
static int far_end;
static st_netfd_t listener;
static struct sockaddr_in listener_address;
static st_cond_t cond;
static st_mutex_t mutex;
static st_thread_t helper;
static struct pollfd polled;

static char buffer[4] = "abcd";
static struct iovec vector[2] = {{buffer, 2}, {buffer + 2, 2}};

static void arrange_nothing(void) {}

static void arrange_empty(void) {
  int end[2];
  raw_pair(SOCK_STREAM | SOCK_NONBLOCK, end);
  near_end = st_netfd_open_socket(end[0]);
  CHECK(near_end != NULL);
  far_end = end[1];
}

static void arrange_full(void) {
  arrange_empty();
  fill(st_netfd_fileno(near_end));
}

static void release_empty(void) { put(far_end, "abcd"); }
static void release_full(void) { drain(far_end); }

static void arrange_listener(void) { listener = open_listener(8, &listener_address); }
static void release_listener(void) { raw_client(&listener_address); }

// A listener whose queue is full does not answer, so that a connection to it stays in progress.
static void arrange_deaf_listener(void) {
  listener = open_listener(0, &listener_address);
  for (int i = 0; i < 2; ++i) {
    struct pollfd client = {.fd = raw_client(&listener_address), .events = POLLOUT};
    // The first one is taken at once; the second shows that the queue is full by not being taken.
    CHECK_EQ(poll(&client, 1, i == 0 ? -1 : 20), i == 0 ? 1 : 0);
  }
  near_end = tcp_socket();
}

static void arrange_cond(void) {
  cond = st_cond_new();
  CHECK(cond != NULL);
}
static void release_cond(void) { CHECK_EQ(st_cond_signal(cond), 0); }

static void* own_mutex(__attribute__((unused)) void* unused) {
  CHECK_EQ(st_mutex_lock(mutex), 0);
  CHECK_FAILS(st_usleep(ST_UTIME_NO_TIMEOUT), EINTR);
  CHECK_EQ(st_mutex_unlock(mutex), 0);
  return NULL;
}

static void arrange_mutex(void) {
  mutex = st_mutex_new();
  CHECK(mutex != NULL);
  helper = spawn(own_mutex, NULL);
  pass();
}

static void arrange_join(void) {
  helper = spawn(sleep_until_told, NULL);
  pass();
}

// The helper lets go of what it holds when it runs next.
static void release_helper(void) { st_thread_interrupt(helper); }

static int call_usleep(st_utime_t timeout) { return st_usleep(timeout); }
static int call_sleep(__attribute__((unused)) st_utime_t timeout) { return st_sleep(-1); }
static int call_cond_wait(__attribute__((unused)) st_utime_t timeout) { return st_cond_wait(cond); }
static int call_cond_timedwait(st_utime_t timeout) { return st_cond_timedwait(cond, timeout); }
static int call_mutex_lock(__attribute__((unused)) st_utime_t timeout) {
  return st_mutex_lock(mutex);
}
static int call_join(__attribute__((unused)) st_utime_t timeout) {
  return st_thread_join(helper, NULL);
}
static int call_netfd_poll(st_utime_t timeout) { return st_netfd_poll(near_end, POLLIN, timeout); }
static int call_poll(st_utime_t timeout) {
  polled = (struct pollfd){.fd = st_netfd_fileno(near_end), .events = POLLIN};
  return st_poll(&polled, 1, timeout);
}
static int call_accept(st_utime_t timeout) {
  return st_accept(listener, NULL, NULL, timeout) != NULL ? 0 : -1;
}
static int call_connect(st_utime_t timeout) {
  return st_connect(near_end, (struct sockaddr*)&listener_address, sizeof listener_address,
                    timeout);
}
static int call_read(st_utime_t timeout) {
  return (int)st_read(near_end, buffer, sizeof buffer, timeout);
}
static int call_read_fully(st_utime_t timeout) {
  return (int)st_read_fully(near_end, buffer, sizeof buffer, timeout);
}
static int call_read_resid(st_utime_t timeout) {
  size_t resid = sizeof buffer;
  return st_read_resid(near_end, buffer, &resid, timeout);
}
static int call_readv(st_utime_t timeout) { return (int)st_readv(near_end, vector, 2, timeout); }
static int call_readv_resid(st_utime_t timeout) {
  struct iovec* rest = vector;
  int count = 2;
  return st_readv_resid(near_end, &rest, &count, timeout);
}
static int call_write(st_utime_t timeout) {
  return (int)st_write(near_end, buffer, sizeof buffer, timeout);
}
static int call_write_resid(st_utime_t timeout) {
  size_t resid = sizeof buffer;
  return st_write_resid(near_end, buffer, &resid, timeout);
}
static int call_writev(st_utime_t timeout) { return (int)st_writev(near_end, vector, 2, timeout); }
static int call_writev_resid(st_utime_t timeout) {
  struct iovec* rest = vector;
  int count = 2;
  return st_writev_resid(near_end, &rest, &count, timeout);
}
static int call_recvfrom(st_utime_t timeout) {
  return st_recvfrom(near_end, buffer, sizeof buffer, NULL, NULL, timeout);
}
static int call_sendto(st_utime_t timeout) {
  return st_sendto(near_end, buffer, sizeof buffer, NULL, 0, timeout);
}
static int call_recvmsg(st_utime_t timeout) {
  struct msghdr message = {.msg_iov = vector, .msg_iovlen = 2};
  return st_recvmsg(near_end, &message, 0, timeout);
}
static int call_sendmsg(st_utime_t timeout) {
  struct msghdr message = {.msg_iov = vector, .msg_iovlen = 2};
  return st_sendmsg(near_end, &message, 0, timeout);
}

#define IO_CALL(name, state) \
  { "st_" #name, arrange_##state, call_##name, release_##state, true, -1, true }

const struct BlockingCall blocking_calls[] = {
    {"st_usleep", arrange_nothing, call_usleep, NULL, true, 0, false},
    {"st_sleep", arrange_nothing, call_sleep, NULL, false, 0, false},
    {"st_cond_wait", arrange_cond, call_cond_wait, release_cond, false, 0, false},
    {"st_cond_timedwait", arrange_cond, call_cond_timedwait, release_cond, true, -1, false},
    {"st_mutex_lock", arrange_mutex, call_mutex_lock, release_helper, false, 0, false},
    {"st_thread_join", arrange_join, call_join, release_helper, false, 0, false},
    {"st_netfd_poll", arrange_empty, call_netfd_poll, release_empty, true, -1, false},
    {"st_poll", arrange_empty, call_poll, release_empty, true, 0, false},
    // An answer that was dropped is repeated by the kernel only after a second, so nothing waits
    // for a release here.
    {"st_connect", arrange_deaf_listener, call_connect, NULL, true, -1, false},
    IO_CALL(accept, listener),
    IO_CALL(read, empty),
    IO_CALL(read_fully, empty),
    IO_CALL(read_resid, empty),
    IO_CALL(readv, empty),
    IO_CALL(readv_resid, empty),
    IO_CALL(write, full),
    IO_CALL(write_resid, full),
    IO_CALL(writev, full),
    IO_CALL(writev_resid, full),
    IO_CALL(recvfrom, empty),
    IO_CALL(sendto, full),
    IO_CALL(recvmsg, empty),
    IO_CALL(sendmsg, full),
};
const int blocking_call_count = COUNT_OF(blocking_calls);
