/* cc timeouts.c -lst -o timeouts && ./timeouts */

/* The three ways in which a wait ends, and a limit for a whole conversation: timeouts hold for each
 * wait, so a peer that sends a byte now and then is stopped only by what is left of the total. */
#include <st.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const st_utime_t kMilli = 1000;

static const char* outcome(ssize_t result) {
  if (result >= 0) return "ready";
  return errno == ETIME ? "timed out" : errno == EINTR ? "interrupted" : strerror(errno);
}

static void* read_one(void* fd) {
  char byte;
  printf("third read: %s\n", outcome(st_read(fd, &byte, 1, ST_UTIME_NO_TIMEOUT)));
  return NULL;
}

/* A byte each five milliseconds, for as long as somebody wants it. */
static void* drip(void* fd) {
  while (st_write(fd, "x", 1, ST_UTIME_NO_TIMEOUT) == 1)
    if (st_usleep(5 * kMilli) != 0) break;
  return NULL;
}

static ssize_t read_all(st_netfd_t fd, char* buffer, size_t size, st_utime_t total) {
  const st_utime_t end = st_utime() + total;
  size_t done = 0;
  while (done < size) {
    const st_utime_t now = st_utime();
    const ssize_t got =
        st_read(fd, buffer + done, size - done, now < end ? end - now : ST_UTIME_NO_WAIT);
    if (got < 0) return -1;
    if (got == 0) break;
    done += (size_t)got;
    if (now >= end) { /* a byte was there, but the time is over */
      errno = ETIME;
      return -1;
    }
  }
  return (ssize_t)done;
}

int main(void) {
  int ends[2];
  char buffer[1000];
  if (st_init() != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
    perror("timeouts");
    return 1;
  }
  st_netfd_t here = st_netfd_open_socket(ends[0]), there = st_netfd_open_socket(ends[1]);

  st_write(there, "x", 1, ST_UTIME_NO_TIMEOUT);
  printf("first read: %s\n", outcome(st_read(here, buffer, 1, 10 * kMilli)));
  printf("second read: %s\n", outcome(st_read(here, buffer, 1, 10 * kMilli)));

  st_thread_t reader = st_thread_create(read_one, here, 1, 0);
  st_thread_yield(); /* it reads, and waits */
  st_thread_interrupt(reader);
  st_thread_join(reader, NULL);

  st_thread_t dripper = st_thread_create(drip, there, 1, 0);
  printf("slow peer: %s\n", outcome(read_all(here, buffer, sizeof(buffer), 50 * kMilli)));
  st_thread_interrupt(dripper);
  st_thread_join(dripper, NULL);
  st_netfd_close(here);
  st_netfd_close(there);
  return 0;
}
