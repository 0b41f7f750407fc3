/* cc signal.c -lst -o signal && ./signal     then: kill -HUP, kill -TERM */

/* Signals as events. A handler may do almost nothing; ringing a bell is allowed. A thread that
 * waits for the bell then does the work like any other: it may print, lock, wait. */
#include <signal.h>
#include <st.h>
#include <stdio.h>

static st_bell_t bell;
static volatile sig_atomic_t hups, terminated;

static void on_signal(int number) {
  if (number == SIGHUP)
    ++hups;
  else
    terminated = 1;
  st_bell_ring(bell);
}

int main(void) {
  struct sigaction action = {.sa_handler = on_signal};
  int seen = 0;
  if (st_init() != 0 || !(bell = st_bell_new())) {
    perror("signal");
    return 1;
  }
  sigaction(SIGHUP, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  printf("process %d waits for signals\n", (int)getpid());
  fflush(stdout);
  while (!terminated) {
    if (st_bell_wait(bell, ST_UTIME_NO_TIMEOUT) < 0) break;
    for (; seen < hups; ++seen) printf("told to read the configuration again\n");
    fflush(stdout);
  }
  printf("told to end\n");
  return 0;
}
