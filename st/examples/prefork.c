/* cc prefork.c -lst -o prefork && ./prefork 7002 4 */

/* A process for each CPU, the way State Threads use several: all accept from one listening socket,
 * nothing else is shared. A worker that dies takes only its own connections along, and is replaced.
 */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tcp.h"

static void* serve(void* arg) {
  st_netfd_t client = arg;
  char answer[64];
  int size = snprintf(answer, sizeof(answer), "served by process %d\n", (int)getpid());
  st_write(client, answer, (size_t)size, 1000000);
  st_netfd_close(client);
  return NULL;
}

static int work(int fd, pid_t parent, const sigset_t* before) {
  prctl(PR_SET_PDEATHSIG, SIGTERM); /* no worker without its parent */
  if (getppid() != parent) return 0;
  sigprocmask(SIG_SETMASK, before, NULL); /* a SIGTERM that came since the fork ends it here */
  if (st_init() != 0) give_up("st_init");
  st_netfd_t listener = st_netfd_open_socket(fd);
  if (!listener) give_up("st_netfd_open_socket");
  for (;;) {
    st_netfd_t client = st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT);
    if (client && !st_thread_create(serve, client, 0, 0)) st_netfd_close(client);
  }
}

int main(int argc, char** argv) {
  enum { kMostWorkers = 64 };
  pid_t workers[kMostWorkers] = {0};
  const int wanted = argc > 2 ? atoi(argv[2]) : 2;
  const pid_t parent = getpid();
  sigset_t awaited, before;
  int number = SIGCHLD, fd;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGCHLD);
  sigaddset(&awaited, SIGTERM);
  sigaddset(&awaited, SIGINT);
  /* Blocked and taken by sigwait(): a signal waits for us, whenever it comes. */
  sigprocmask(SIG_BLOCK, &awaited, &before);
  fd = listen_on((unsigned short)(argc > 1 ? atoi(argv[1]) : 0));
  while (number == SIGCHLD) {
    pid_t ended;
    while ((ended = waitpid(-1, NULL, WNOHANG)) > 0)
      for (int i = 0; i < kMostWorkers; ++i)
        if (workers[i] == ended) workers[i] = 0;
    for (int i = 0; i < wanted && i < kMostWorkers; ++i) {
      if (workers[i] > 0) continue;
      workers[i] = fork();
      if (workers[i] == 0) return work(fd, parent, &before);
      if (workers[i] < 0) perror("fork");
    }
    sigwait(&awaited, &number);
  }
  for (int i = 0; i < kMostWorkers; ++i)
    if (workers[i] > 0) kill(workers[i], SIGTERM);
  while (wait(NULL) > 0) {
  }
  return 0;
}
