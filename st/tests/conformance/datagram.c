// Datagrams and messages: one system call each, addresses, flags, descriptors sent along.
#include <arpa/inet.h>
#include <string.h>

#include "support.h"

static st_netfd_t udp_socket(struct sockaddr_in* address) {
  const int osfd = socket(AF_INET, SOCK_DGRAM, 0);
  CHECK(osfd >= 0);
  *address = (struct sockaddr_in){.sin_family = AF_INET};
  address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof *address;
  CHECK_EQ(bind(osfd, (struct sockaddr*)address, sizeof *address), 0);
  CHECK_EQ(getsockname(osfd, (struct sockaddr*)address, &length), 0);
  st_netfd_t wrapped = st_netfd_open_socket(osfd);
  CHECK(wrapped != NULL);
  return wrapped;
}

static void datagram_pair(st_netfd_t end[2]) {
  int osfd[2];
  raw_pair(SOCK_DGRAM, osfd);
  for (int i = 0; i < 2; ++i) end[i] = st_netfd_open_socket(osfd[i]);
}

CASE(datagram, sender_is_known_to_the_receiver) {
  struct sockaddr_in here, there, seen;
  st_netfd_t one = udp_socket(&here);
  st_netfd_t two = udp_socket(&there);
  CHECK_EQ(st_sendto(one, "hello", 5, (struct sockaddr*)&there, sizeof there, 0), 5);
  char text[16] = "";
  int length = sizeof seen;
  CHECK_EQ(
      st_recvfrom(two, text, sizeof text, (struct sockaddr*)&seen, &length, ST_UTIME_NO_TIMEOUT),
      5);
  CHECK_TEXT(text, "hello");
  CHECK_EQ(length, sizeof seen);
  CHECK_EQ(seen.sin_port, here.sin_port);
  CHECK_EQ(seen.sin_addr.s_addr, here.sin_addr.s_addr);
}

CASE(datagram, sender_need_not_be_asked_for) {
  struct sockaddr_in here;
  st_netfd_t one = udp_socket(&here);
  CHECK_EQ(st_sendto(one, "x", 1, (struct sockaddr*)&here, sizeof here, 0), 1);
  char text[16];
  CHECK_EQ(st_recvfrom(one, text, sizeof text, NULL, NULL, ST_UTIME_NO_TIMEOUT), 1);
}

CASE(datagram, boundaries_are_kept) {
  st_netfd_t end[2];
  datagram_pair(end);
  char text[16];
  CHECK_EQ(st_sendto(end[0], "abc", 3, NULL, 0, 0), 3);
  CHECK_EQ(st_sendto(end[0], "", 0, NULL, 0, 0), 0);
  CHECK_EQ(st_sendto(end[0], "defgh", 5, NULL, 0, 0), 5);
  CHECK_EQ(st_recvfrom(end[1], text, sizeof text, NULL, NULL, 0), 3);
  CHECK_EQ(st_recvfrom(end[1], text, sizeof text, NULL, NULL, 0), 0);
  CHECK_EQ(st_recvfrom(end[1], text, 2, NULL, NULL, 0), 2);
  CHECK_FAILS(st_recvfrom(end[1], text, sizeof text, NULL, NULL, 0), ETIME);
}

struct Transfer {
  st_netfd_t end;
  int result;
};

static void* receive(void* argument) {
  struct Transfer* one = argument;
  char text[16];
  one->result = st_recvfrom(one->end, text, sizeof text, NULL, NULL, ST_UTIME_NO_TIMEOUT);
  return NULL;
}

CASE(datagram, receiver_waits_for_the_sender) {
  st_netfd_t end[2];
  datagram_pair(end);
  struct Transfer one = {.end = end[1]};
  st_thread_t receiver = spawn(receive, &one);
  pass();
  CHECK_EQ(st_sendto(end[0], "abc", 3, NULL, 0, ST_UTIME_NO_TIMEOUT), 3);
  join(receiver);
  CHECK_EQ(one.result, 3);
}

static void* send_one(void* argument) {
  struct Transfer* one = argument;
  one->result = st_sendto(one->end, "abc", 3, NULL, 0, ST_UTIME_NO_TIMEOUT);
  return NULL;
}

CASE(datagram, sender_waits_for_room) {
  st_netfd_t end[2];
  datagram_pair(end);
  fill(st_netfd_fileno(end[0]));
  struct Transfer one = {.end = end[0]};
  st_thread_t sender = spawn(send_one, &one);
  pass();
  CHECK_EQ(one.result, 0);
  drain(st_netfd_fileno(end[1]));
  join(sender);
  CHECK_EQ(one.result, 3);
}

CASE(datagram, errors_of_the_kernel_come_through) {
  struct sockaddr_in here;
  st_netfd_t one = udp_socket(&here);
  static const char huge[70000];
  CHECK_FAILS(st_sendto(one, "x", 1, NULL, 0, 0), EDESTADDRREQ);
  CHECK_FAILS(st_sendto(one, huge, sizeof huge, (struct sockaddr*)&here, sizeof here, 0), EMSGSIZE);
}

CASE(datagram, refusal_is_reported_to_a_connected_receiver) {
  struct sockaddr_in here, there;
  st_netfd_t one = udp_socket(&here);
  st_netfd_t two = udp_socket(&there);
  CHECK_EQ(st_netfd_close(two), 0);
  CHECK_EQ(st_connect(one, (struct sockaddr*)&there, sizeof there, 0), 0);
  CHECK_EQ(st_sendto(one, "x", 1, NULL, 0, 0), 1);
  char byte;
  CHECK_FAILS(st_recvfrom(one, &byte, 1, NULL, NULL, ST_UTIME_NO_TIMEOUT), ECONNREFUSED);
}

CASE(message, scatters_and_gathers) {
  st_netfd_t end[2];
  datagram_pair(end);
  char text[16] = "";
  struct iovec out[] = {{"abc", 3}, {"defg", 4}};
  struct iovec in[] = {{text, 2}, {text + 8, 8}};
  struct msghdr sent = {.msg_iov = out, .msg_iovlen = 2};
  struct msghdr got = {.msg_iov = in, .msg_iovlen = 2};
  CHECK_EQ(st_sendmsg(end[0], &sent, 0, ST_UTIME_NO_TIMEOUT), 7);
  CHECK_EQ(st_recvmsg(end[1], &got, 0, ST_UTIME_NO_TIMEOUT), 7);
  CHECK_TEXT(text, "ab");
  CHECK_TEXT(text + 8, "cdefg");
}

CASE(message, flags_reach_the_kernel) {
  st_netfd_t end[2];
  datagram_pair(end);
  char text[4];
  struct iovec in = {text, sizeof text};
  struct msghdr got = {.msg_iov = &in, .msg_iovlen = 1};
  CHECK_EQ(st_sendto(end[0], "abcdefgh", 8, NULL, 0, 0), 8);
  CHECK_EQ(st_recvmsg(end[1], &got, MSG_PEEK, 0), 4);
  CHECK_EQ(st_recvmsg(end[1], &got, MSG_TRUNC, 0), 8);
  CHECK(got.msg_flags & MSG_TRUNC);
  CHECK_FAILS(st_recvmsg(end[1], &got, 0, 0), ETIME);
}

static void* receive_dontwait(void* argument) {
  struct Transfer* one = argument;
  char text[8];
  struct iovec in = {text, sizeof text};
  struct msghdr got = {.msg_iov = &in, .msg_iovlen = 1};
  one->result = st_recvmsg(one->end, &got, MSG_DONTWAIT, ST_UTIME_NO_TIMEOUT);
  return NULL;
}

CASE(message, dontwait_waits_all_the_same) {
  st_netfd_t end[2];
  datagram_pair(end);
  struct Transfer one = {.end = end[1], .result = -7};
  st_thread_t receiver = spawn(receive_dontwait, &one);
  pass();
  CHECK_EQ(one.result, -7);
  CHECK_EQ(st_sendto(end[0], "abc", 3, NULL, 0, 0), 3);
  join(receiver);
  CHECK_EQ(one.result, 3);
}

CASE(message, may_be_short_on_a_stream) {
  st_netfd_t end[2];
  stream_pair(end);
  static char large[1 << 20];
  struct iovec out = {large, sizeof large};
  struct msghdr sent = {.msg_iov = &out, .msg_iovlen = 1};
  const int count = st_sendmsg(end[0], &sent, 0, ST_UTIME_NO_TIMEOUT);
  CHECK(count > 0 && count < (int)sizeof large);
  CHECK_EQ(drain(st_netfd_fileno(end[1])), count);
}

CASE(message, to_a_closed_peer_fails_without_a_signal) {
  st_netfd_t end[2];
  stream_pair(end);
  CHECK_EQ(st_netfd_close(end[1]), 0);
  struct iovec out = {"x", 1};
  struct msghdr sent = {.msg_iov = &out, .msg_iovlen = 1};
  CHECK_FAILS(st_sendmsg(end[0], &sent, 0, ST_UTIME_NO_TIMEOUT), EPIPE);
  CHECK_FAILS(st_sendto(end[0], "x", 1, NULL, 0, ST_UTIME_NO_TIMEOUT), EPIPE);
}

CASE(message, carries_a_descriptor) {
  st_netfd_t end[2];
  st_netfd_t tube[2];
  stream_pair(end);
  pipe_pair(tube);
  char byte = 'x';
  struct iovec data = {&byte, 1};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {.space = {0}};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  *header = (struct cmsghdr){
      .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
  const int sent = st_netfd_fileno(tube[1]);
  memcpy(CMSG_DATA(header), &sent, sizeof sent);
  CHECK_EQ(st_sendmsg(end[0], &message, 0, ST_UTIME_NO_TIMEOUT), 1);

  memset(&control, 0, sizeof control);
  CHECK_EQ(st_recvmsg(end[1], &message, 0, ST_UTIME_NO_TIMEOUT), 1);
  header = CMSG_FIRSTHDR(&message);
  CHECK(header != NULL && header->cmsg_type == SCM_RIGHTS);
  int received;
  memcpy(&received, CMSG_DATA(header), sizeof received);
  put(received, "y");
  CHECK_EQ(st_read(tube[0], &byte, 1, ST_UTIME_NO_TIMEOUT), 1);
  CHECK_EQ(byte, 'y');
}

// Urgent data are beside the stream: they can be had although there is nothing to read.
CASE(message, urgent_byte_is_fetched_while_the_stream_is_empty) {
  int client;
  st_netfd_t server = tcp_connection(&client);
  char byte = 0;
  struct iovec data = {&byte, 1};
  struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
  CHECK_FAILS(st_read(server, &byte, 1, 0), ETIME);
  CHECK_FAILS(st_recvmsg(server, &message, MSG_OOB, 0), EINVAL);
  CHECK_EQ(send(client, "!", 1, MSG_OOB), 1);
  CHECK_EQ(st_netfd_poll(server, POLLPRI, ST_UTIME_NO_TIMEOUT), 0);
  CHECK_EQ(st_recvmsg(server, &message, MSG_OOB, 0), 1);
  CHECK_EQ(byte, '!');
}
