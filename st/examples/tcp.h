/* What several examples need and none is about: a listening socket on 127.0.0.1, and giving up. */
#ifndef ST_EXAMPLES_TCP_H
#define ST_EXAMPLES_TCP_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <st.h>
#include <stdio.h>
#include <stdlib.h>

static inline void give_up(const char* what) {
  perror(what);
  exit(1);
}

/* Port 0 lets the kernel choose; says which it is. */
static inline int listen_on(unsigned short port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(address);
  int on = 1;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      bind(fd, (struct sockaddr*)&address, size) != 0 || listen(fd, 511) != 0 ||
      getsockname(fd, (struct sockaddr*)&address, &size) != 0)
    give_up("listen");
  printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

#endif
