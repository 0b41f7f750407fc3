/* cc echo.c -lst -o echo && ./echo 7000 */

/* A server with a thread for each connection: a plain loop of reading and writing, and yet one
 * process with one kernel thread, however many connections there are. */
#include "tcp.h"

static const st_utime_t kIdle = 60 * 1000000ULL; /* microseconds without a byte from the client */

static void* serve(void* arg) {
  st_netfd_t client = arg;
  char buffer[4096];
  ssize_t got;
  while ((got = st_read(client, buffer, sizeof(buffer), kIdle)) > 0)
    if (st_write(client, buffer, (size_t)got, kIdle) != got) break;
  st_netfd_close(client);
  return NULL;
}

int main(int argc, char** argv) {
  if (st_init() != 0) give_up("st_init");
  st_netfd_t listener =
      st_netfd_open_socket(listen_on((unsigned short)(argc > 1 ? atoi(argv[1]) : 0)));
  if (!listener) give_up("st_netfd_open_socket");
  for (;;) {
    st_netfd_t client = st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT);
    if (!client) {
      perror("st_accept");
      st_usleep(10000); /* out of descriptors, say: some will come back */
    } else if (!st_thread_create(serve, client, 0, 0)) {
      perror("st_thread_create");
      st_netfd_close(client);
    }
  }
}
