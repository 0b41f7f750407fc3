/* cc proxy.c -lst -o proxy && ./proxy 7001 127.0.0.1 7000 */

/* Forwards connections: two threads for each, one for each direction, neither of which knows of the
 * other. When one side ends, that end is passed on and the other direction goes on. */
#include "tcp.h"

static struct sockaddr_in target;
static const st_utime_t kConnect = 5 * 1000000ULL;

struct pipe {
  st_netfd_t from, to;
};

static void* forward(void* arg) {
  struct pipe* pipe = arg;
  char buffer[16384];
  ssize_t got;
  while ((got = st_read(pipe->from, buffer, sizeof(buffer), ST_UTIME_NO_TIMEOUT)) > 0)
    if (st_write(pipe->to, buffer, (size_t)got, ST_UTIME_NO_TIMEOUT) != got) break;
  shutdown(st_netfd_fileno(pipe->to), SHUT_WR);
  /* After a failed write nobody takes what still comes. */
  if (got > 0) shutdown(st_netfd_fileno(pipe->from), SHUT_RD);
  return NULL;
}

static void* serve(void* arg) {
  st_netfd_t client = arg;
  st_netfd_t server = st_netfd_open_socket(socket(AF_INET, SOCK_STREAM, 0));
  if (server) {
    struct pipe up = {client, server}, down = {server, client};
    st_thread_t upwards;
    if (st_connect(server, (struct sockaddr*)&target, sizeof(target), kConnect) != 0) {
      perror("st_connect");
    } else if ((upwards = st_thread_create(forward, &up, 1, 0)) != NULL) {
      forward(&down);
      st_thread_join(upwards,
                     NULL); /* both are done with the descriptors: now they may be closed */
    }
    st_netfd_close(server);
  }
  st_netfd_close(client);
  return NULL;
}

int main(int argc, char** argv) {
  if (argc != 4 || inet_pton(AF_INET, argv[2], &target.sin_addr) != 1) {
    fprintf(stderr, "usage: %s PORT TARGET-ADDRESS TARGET-PORT\n", argv[0]);
    return 2;
  }
  target.sin_family = AF_INET;
  target.sin_port = htons((unsigned short)atoi(argv[3]));
  if (st_init() != 0) give_up("st_init");
  st_netfd_t listener = st_netfd_open_socket(listen_on((unsigned short)atoi(argv[1])));
  if (!listener) give_up("st_netfd_open_socket");
  for (;;) {
    st_netfd_t client = st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT);
    if (!client)
      st_usleep(10000);
    else if (!st_thread_create(serve, client, 0, 0))
      st_netfd_close(client);
  }
}
