/* usage: echo_clients PORT CLIENTS SECONDS
 *
 * Clients of an echo server, each with one request of 64 bytes under way at a time, as fast as the
 * server answers. Prints how many requests were answered in that time. It has to cost less for each
 * request than any server does, or else it would not be the server that is measured: all requests
 * that are due go to the kernel in one system call, each as a pair of sending and receiving. */
#include <arpa/inet.h>
#include <liburing.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kRequest = 64, kMostClients = 1024 };
enum { kBuffers = 0 }; /* the kernel's name for our group of buffers */

static struct io_uring ring;
static struct io_uring_buf_ring* free_buffers;
static int connections[kMostClients];
static unsigned missing[kMostClients]; /* bytes of the answer */
static char question[kRequest];
static char answers[kMostClients][kRequest];

static void give_up(const char* what) {
  perror(what);
  exit(1);
}

static double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void connect_all(unsigned clients, unsigned short port) {
  struct sockaddr_in server = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  for (unsigned i = 0; i < clients; ++i) {
    connections[i] = socket(AF_INET, SOCK_STREAM, 0);
    /* The least work for what can neither be lost nor be congested, whatever the system's rule. */
    setsockopt(connections[i], IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
    if (connect(connections[i], (struct sockaddr*)&server, sizeof(server)) != 0) give_up("connect");
  }
}

static void offer_buffer(unsigned number) {
  io_uring_buf_ring_add(free_buffers, answers[number], kRequest, (unsigned short)number,
                        io_uring_buf_ring_mask(kMostClients), 0);
  io_uring_buf_ring_advance(free_buffers, 1);
}

static void offer_all_buffers(void) {
  struct io_uring_buf_reg where = {.ring_entries = kMostClients, .bgid = kBuffers};
  if (posix_memalign((void**)&free_buffers, 4096, kMostClients * sizeof(struct io_uring_buf)) != 0)
    give_up("memory");
  where.ring_addr = (unsigned long)free_buffers;
  if (io_uring_register_buf_ring(&ring, &where, 0) != 0) give_up("io_uring_register_buf_ring");
  io_uring_buf_ring_init(free_buffers);
  for (unsigned i = 0; i < kMostClients; ++i) offer_buffer(i);
}

/* Once for a connection: the kernel goes on receiving until it says that it does not. */
static void listen_to(unsigned client) {
  struct io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  io_uring_prep_recv_multishot(sqe, connections[client], NULL, 0, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = kBuffers;
  io_uring_sqe_set_data64(sqe, client);
}

static void ask(unsigned client) {
  struct io_uring_sqe* sqe = io_uring_get_sqe(&ring);
  io_uring_prep_send(sqe, connections[client], question, kRequest, 0);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data64(sqe, client);
  missing[client] = kRequest;
}

/* True if the answer is complete; the next request is then queued. */
static int receive(const struct io_uring_cqe* cqe) {
  const unsigned client = (unsigned)cqe->user_data;
  if (cqe->res <= 0 || (unsigned)cqe->res > missing[client]) {
    fprintf(stderr, "echo_clients: of an answer %u bytes were missing; the kernel says %d\n",
            missing[client], cqe->res);
    exit(1);
  }
  offer_buffer(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
  if (!(cqe->flags & IORING_CQE_F_MORE)) listen_to(client);
  missing[client] -= (unsigned)cqe->res;
  if (missing[client] > 0) return 0;
  ask(client);
  return 1;
}

int main(int argc, char** argv) {
  const unsigned clients = argc == 4 ? (unsigned)atoi(argv[2]) : 0;
  if (clients == 0 || clients > kMostClients) {
    fprintf(stderr, "usage: echo_clients PORT CLIENTS SECONDS, with 1 to %d clients\n",
            kMostClients);
    return 2;
  }
  connect_all(clients, (unsigned short)atoi(argv[1]));
  if (io_uring_queue_init(2 * clients, &ring,
                          IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) != 0)
    give_up("io_uring");
  offer_all_buffers();
  unsigned long answered = 0;
  const double end = seconds_now() + atof(argv[3]);
  for (unsigned i = 0; i < clients; ++i) {
    listen_to(i);
    ask(i);
  }
  while (seconds_now() < end) {
    io_uring_submit_and_wait(&ring, 1);
    unsigned head;
    unsigned count = 0;
    struct io_uring_cqe* cqe;
    io_uring_for_each_cqe(&ring, head, cqe) {
      ++count;
      answered += (unsigned)receive(cqe);
    }
    io_uring_cq_advance(&ring, count);
  }
  printf("%lu\n", answered);
  return 0;
}
