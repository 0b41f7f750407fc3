/* usage: echo_clients PORT CLIENTS SECONDS
 *
 * Clients of an echo server, each with one request of 64 bytes under way at a time, as fast as the
 * server answers. Prints how many requests were answered in that time. It has to cost less for each
 * request than any server does, or else it would not be the server that is measured: all requests
 * that are due go to the kernel in one system call, each as a pair of sending and receiving. */
#include <arpa/inet.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kRequest = 64, kMostClients = 1024 };

static struct io_uring ring;
static int connections[kMostClients];
static char buffers[kMostClients][kRequest];

static void give_up(const char* what) {
  perror(what);
  exit(1);
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void ask(unsigned client) {
  struct io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  io_uring_prep_send(sqe, connections[client], buffers[client], kRequest, 0);
  sqe->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(sqe, client);
  sqe = io_uring_get_sqe(&ring);
  io_uring_prep_recv(sqe, connections[client], buffers[client], kRequest, MSG_WAITALL);
  sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
  io_uring_sqe_set_data64(sqe, client);
}

int main(int argc, char** argv) {
  const unsigned clients = argc == 4 ? (unsigned)atoi(argv[2]) : 0;
  if (clients == 0 || clients > kMostClients) {
    fprintf(stderr, "usage: echo_clients PORT CLIENTS SECONDS, with 1 to %d clients\n",
            kMostClients);
    return 2;
  }
  struct sockaddr_in server = {.sin_family = AF_INET,
                               .sin_port = htons((unsigned short)atoi(argv[1])),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  for (unsigned i = 0; i < clients; ++i) {
    connections[i] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connections[i], (struct sockaddr*)&server, sizeof(server)) != 0) give_up("connect");
  }
  if (io_uring_queue_init(2 * clients, &ring,
                          IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) != 0)
    give_up("io_uring");
  unsigned long answered = 0;
  const double end = seconds_now() + atof(argv[3]);
  for (unsigned i = 0; i < clients; ++i) ask(i);
  while (seconds_now() < end) {
    io_uring_submit_and_wait(&ring, 1);
    unsigned head;
    unsigned count = 0;
    struct io_uring_cqe* cqe;
    io_uring_for_each_cqe(&ring, head, cqe) {
      ++count;
      if (cqe->res != kRequest) {
        fprintf(stderr, "echo_clients: a request of %d bytes ended with %d\n", kRequest, cqe->res);
        return 1;
      }
      ask((unsigned)cqe->user_data);
    }
    io_uring_cq_advance(&ring, count);
    answered += count;
  }
  printf("%lu\n", answered);
  return 0;
}
