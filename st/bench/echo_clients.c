/* usage: echo_clients PORT CLIENTS SECONDS
 *
 * Clients of an echo server, each with one request of 64 bytes under way at a time, as fast as the
 * server answers. Prints how many requests were answered in that time. */
#include <arpa/inet.h>
#include <st.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kRequest = 64 };

static st_utime_t end;
static unsigned long answered;

static void give_up(const char* what) {
  perror(what);
  exit(1);
}

static void* ask(void* netfd) {
  char buffer[kRequest];
  memset(buffer, 'x', sizeof(buffer));
  while (st_utime() < end) {
    if (st_write(netfd, buffer, sizeof(buffer), ST_UTIME_NO_TIMEOUT) != kRequest ||
        st_read_fully(netfd, buffer, sizeof(buffer), ST_UTIME_NO_TIMEOUT) != kRequest)
      give_up("request");
    ++answered;
  }
  return NULL;
}

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: echo_clients PORT CLIENTS SECONDS\n");
    return 2;
  }
  struct sockaddr_in server = {.sin_family = AF_INET,
                               .sin_port = htons((unsigned short)atoi(argv[1])),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int clients = atoi(argv[2]);
  st_netfd_t* connections = calloc((size_t)clients, sizeof(*connections));
  st_thread_t* threads = calloc((size_t)clients, sizeof(*threads));
  if (!connections || !threads || st_init() != 0) give_up("st_init");
  for (int i = 0; i < clients; ++i) {
    connections[i] = st_netfd_open_socket(socket(AF_INET, SOCK_STREAM, 0));
    if (!connections[i] || st_connect(connections[i], (struct sockaddr*)&server, sizeof(server),
                                      ST_UTIME_NO_TIMEOUT) != 0)
      give_up("connect");
  }
  end = st_utime() + (st_utime_t)(atof(argv[3]) * 1e6);
  for (int i = 0; i < clients; ++i)
    if (!(threads[i] = st_thread_create(ask, connections[i], 1, 0))) give_up("st_thread_create");
  for (int i = 0; i < clients; ++i) st_thread_join(threads[i], NULL);
  printf("%lu\n", answered);
  return 0;
}
