// Accepting and connecting.
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "support.h"

static struct sockaddr_in address;
static st_netfd_t listener;

static void arrange(void) { listener = open_listener(128, &address); }

static int connect_to(st_netfd_t from, st_utime_t timeout) {
  return st_connect(from, (struct sockaddr*)&address, sizeof address, timeout);
}

CASE(accept, gives_a_nonblocking_object_and_the_peers_address) {
  arrange();
  const int client = raw_client(&address);
  struct sockaddr_in seen, expected;
  int length = sizeof seen;
  st_netfd_t server = st_accept(listener, (struct sockaddr*)&seen, &length, ST_UTIME_NO_TIMEOUT);
  CHECK(server != NULL);
  CHECK(fcntl(st_netfd_fileno(server), F_GETFL) & O_NONBLOCK);
  socklen_t expected_length = sizeof expected;
  CHECK_EQ(getsockname(client, (struct sockaddr*)&expected, &expected_length), 0);
  CHECK_EQ(length, sizeof seen);
  CHECK_EQ(seen.sin_port, expected.sin_port);
  CHECK(st_netfd_getspecific(server) == NULL);
}

CASE(accept, errors_of_the_kernel_come_through) {
  arrange();
  st_netfd_t tube[2];
  pipe_pair(tube);
  CHECK_NULL(st_accept(tube[0], NULL, NULL, ST_UTIME_NO_TIMEOUT), ENOTSOCK);
  CHECK_NULL(st_accept(tcp_socket(), NULL, NULL, ST_UTIME_NO_TIMEOUT), EINVAL);
}

CASE(accept, want_of_descriptors_is_reported_and_passes) {
  arrange();
  CHECK(raw_client(&address) >= 0);
  CHECK_EQ(st_netfd_poll(listener, POLLIN, ST_UTIME_NO_TIMEOUT), 0);
  struct rlimit limit;
  CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  struct rlimit low = limit;
  low.rlim_cur = 3;  // the standard streams alone
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  CHECK_NULL(st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT), EMFILE);
  CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  CHECK(st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT) != NULL);
}

static int accepted;

static void* accept_one(void* unused) {
  (void)unused;
  CHECK(st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT) != NULL);
  ++accepted;
  return NULL;
}

CASE(accept, many_threads_share_a_listener) {
  arrange();
  st_thread_t threads[5];
  for (int i = 0; i < 5; ++i) threads[i] = spawn(accept_one, NULL);
  pass();
  CHECK(raw_client(&address) >= 0);
  while (accepted == 0) pass();
  pass();
  CHECK_EQ(accepted, 1);
  for (int i = 0; i < 4; ++i) CHECK(raw_client(&address) >= 0);
  for (int i = 0; i < 5; ++i) join(threads[i]);
  CHECK_EQ(accepted, 5);
}

CASE(accept, several_connections_at_once_are_all_taken) {
  arrange();
  for (int i = 0; i < 10; ++i) CHECK(raw_client(&address) >= 0);
  for (int i = 0; i < 10; ++i) CHECK(st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT) != NULL);
  CHECK_NULL(st_accept(listener, NULL, NULL, 0), ETIME);
}

static struct sockaddr_un unix_address(void) {
  // An abstract name leaves no file; the process number makes it unique.
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "st-conformance-%d", (int)getpid());
  return name;
}

static st_netfd_t unix_socket(void) {
  st_netfd_t wrapped = st_netfd_open_socket(socket(AF_UNIX, SOCK_STREAM, 0));
  CHECK(wrapped != NULL);
  return wrapped;
}

CASE(connect, reaches_a_unix_listener) {
  const struct sockaddr_un name = unix_address();
  st_netfd_t server = unix_socket();
  CHECK_EQ(bind(st_netfd_fileno(server), (const struct sockaddr*)&name, sizeof name), 0);
  CHECK_EQ(listen(st_netfd_fileno(server), 1), 0);
  st_netfd_t client = unix_socket();
  CHECK_EQ(st_connect(client, (const struct sockaddr*)&name, sizeof name, ST_UTIME_NO_TIMEOUT), 0);
  st_netfd_t peer = st_accept(server, NULL, NULL, ST_UTIME_NO_TIMEOUT);
  CHECK(peer != NULL);
  CHECK_EQ(st_write(client, "x", 1, 0), 1);
  char byte;
  CHECK_EQ(st_read(peer, &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
}

CASE(connect, full_queue_of_a_unix_listener_is_reported_at_once) {
  const struct sockaddr_un name = unix_address();
  st_netfd_t server = unix_socket();
  CHECK_EQ(bind(st_netfd_fileno(server), (const struct sockaddr*)&name, sizeof name), 0);
  CHECK_EQ(listen(st_netfd_fileno(server), 0), 0);
  const struct sockaddr* to = (const struct sockaddr*)&name;
  CHECK_EQ(st_connect(unix_socket(), to, sizeof name, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_FAILS(st_connect(unix_socket(), to, sizeof name, ST_UTIME_NO_TIMEOUT), EAGAIN);
}

CASE(connect, reaches_a_listener_before_it_accepts) {
  arrange();
  st_netfd_t client = tcp_socket();
  CHECK_EQ(connect_to(client, ST_UTIME_NO_TIMEOUT), 0);
  CHECK(st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT) != NULL);
  CHECK_EQ(st_write(client, "x", 1, 0), 1);
}

CASE(connect, refusal_is_reported) {
  arrange();
  CHECK_EQ(st_netfd_close(listener), 0);
  st_netfd_t client = tcp_socket();
  CHECK_FAILS(connect_to(client, ST_UTIME_NO_TIMEOUT), ECONNREFUSED);
  CHECK_EQ(st_netfd_close(client), 0);
}

CASE(connect, of_a_connected_socket_is_refused) {
  arrange();
  const int osfd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK_EQ(connect(osfd, (struct sockaddr*)&address, sizeof address), 0);
  CHECK_FAILS(connect_to(st_netfd_open_socket(osfd), ST_UTIME_NO_TIMEOUT), EISCONN);
}

CASE(connect, errors_of_the_kernel_come_through) {
  struct sockaddr_un nowhere = {.sun_family = AF_UNIX, .sun_path = "/nowhere/at/all"};
  CHECK_FAILS(st_connect(unix_socket(), (struct sockaddr*)&nowhere, sizeof nowhere, 0), ENOENT);
  CHECK_FAILS(st_connect(tcp_socket(), (struct sockaddr*)&nowhere, 1, 0), EINVAL);
}

CASE(connect, that_timed_out_leaves_a_socket_that_can_be_closed) {
  listener = open_listener(0, &address);
  // With a backlog of 0 one connection waits in the queue and the next ones get no answer.
  for (int i = 0; i < 3; ++i) raw_client(&address);
  st_netfd_t client = tcp_socket();
  CHECK_FAILS(connect_to(client, 20000), ETIME);
  CHECK_EQ(st_netfd_close(client), 0);
}

static void* echo(void* client) {
  char text[64];
  ssize_t got;
  while ((got = st_read(client, text, sizeof text, ST_UTIME_NO_TIMEOUT)) > 0)
    CHECK_EQ(st_write(client, text, (size_t)got, ST_UTIME_NO_TIMEOUT), got);
  CHECK_EQ(got, 0);
  CHECK_EQ(st_netfd_close(client), 0);
  return NULL;
}

static void* serve(void* unused) {
  (void)unused;
  st_netfd_t client;
  while ((client = st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT)) != NULL)
    CHECK(st_thread_create(echo, client, 0, 0) != NULL);
  return NULL;
}

static void* talk(void* number) {
  st_netfd_t server = tcp_socket();
  CHECK_EQ(connect_to(server, ST_UTIME_NO_TIMEOUT), 0);
  for (int round = 0; round < 10; ++round) {
    char question[32];
    char answer[32] = "";
    const int length =
        snprintf(question, sizeof question, "%d in round %d", (int)(intptr_t)number, round);
    CHECK_EQ(st_write(server, question, (size_t)length, ST_UTIME_NO_TIMEOUT), length);
    CHECK_EQ(st_read_fully(server, answer, (size_t)length, ST_UTIME_NO_TIMEOUT), length);
    CHECK_TEXT(answer, question);
  }
  CHECK_EQ(st_netfd_close(server), 0);
  return NULL;
}

CASE(connect, hundred_clients_talk_to_a_server_in_the_same_process) {
  arrange();
  CHECK(st_thread_create(serve, NULL, 0, 0) != NULL);
  st_thread_t clients[100];
  for (intptr_t i = 0; i < 100; ++i) clients[i] = spawn(talk, (void*)i);
  for (int i = 0; i < 100; ++i) join(clients[i]);
}
