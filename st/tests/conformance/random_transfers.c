// Random sequences of transfers, through the library and past it, against a model that is a byte
// count and a flag.
//
// A library that remembers what it learnt about a descriptor (empty, full, ended) must never be
// wrong about it, whoever reads or writes: another object, the raw descriptor, the peer. The
// sequences are the same in every run.
#include "support.h"

enum {
  kSequences = 60,
  kSteps = 80,
  kMostBuffered = 1500,  // less than the smallest of the buffers, so that no write is partial
};

struct Channel {
  int osfd[2];
  st_netfd_t reader;
  st_netfd_t same_reader;  // another object of the same descriptor
  st_netfd_t writer;
  size_t buffered;
  unsigned char next_written;
  unsigned char next_read;
  bool ended;
};

static struct Channel channel;
static uint32_t state;

static unsigned below(unsigned limit) {
  state = state * 1664525u + 1013904223u;  // Numerical Recipes' generator: any would do
  return (state >> 16) % limit;
}

static void open_unix(int osfd[2]) { CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, osfd), 0); }
static void open_small_unix(int osfd[2]) { raw_pair(SOCK_STREAM, osfd); }
static void open_pipe(int osfd[2]) { CHECK_EQ(pipe(osfd), 0); }
static void open_tcp(int osfd[2]) {
  st_netfd_t accepted = tcp_connection(&osfd[1]);
  osfd[0] = st_netfd_fileno(accepted);
  st_netfd_free(accepted);
}

static void open_small_tcp(int osfd[2]) {
  open_tcp(osfd);
  const int small =
      1
      << 17;  // more than a packet of the loopback, far less than the megabytes of TCP's own choice
  CHECK_EQ(setsockopt(osfd[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
  CHECK_EQ(setsockopt(osfd[0], SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
}

// TCP may deliver a moment later; the model knows no moments.
static void until_delivered(void) {
  until_readable(channel.osfd[0], (int)channel.buffered);
  struct pollfd end = {.fd = channel.osfd[0], .events = POLLRDHUP};
  if (channel.ended) CHECK_EQ(poll(&end, 1, -1), 1);
}

static void put_some(bool raw) {
  unsigned char bytes[200];
  const size_t count = 1 + below(sizeof bytes);
  if (channel.ended || channel.buffered + count > kMostBuffered) return;
  for (size_t i = 0; i < count; ++i) bytes[i] = channel.next_written++;
  CHECK_EQ(raw ? write(channel.osfd[1], bytes, count) : st_write(channel.writer, bytes, count, 0),
           count);
  channel.buffered += count;
  until_delivered();
}

static void check_bytes(const unsigned char* bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) CHECK_EQ(bytes[i], channel.next_read++);
  channel.buffered -= count;
}

static void read_some(st_netfd_t from) {
  unsigned char bytes[300];
  const size_t size = 1 + below(sizeof bytes);
  if (channel.buffered == 0 && !channel.ended) {
    CHECK_FAILS(st_read(from, bytes, size, 0), ETIME);
    return;
  }
  const size_t expected = size < channel.buffered ? size : channel.buffered;
  CHECK_EQ(st_read(from, bytes, size, 0), expected);
  check_bytes(bytes, expected);
}

static void read_all_or_less(void) {
  unsigned char bytes[300];
  const size_t size = 1 + below(sizeof bytes);
  size_t left = size;
  const size_t expected = size < channel.buffered ? size : channel.buffered;
  if (expected < size && !channel.ended) {
    CHECK_FAILS(st_read_resid(channel.reader, bytes, &left, 0), ETIME);
  } else {
    CHECK_EQ(st_read_resid(channel.reader, bytes, &left, 0), 0);
  }
  CHECK_EQ(size - left, expected);
  check_bytes(bytes, expected);
}

static void read_raw(void) {
  unsigned char bytes[300];
  const ssize_t got = read(channel.osfd[0], bytes, 1 + below(sizeof bytes));
  if (got > 0) check_bytes(bytes, (size_t)got);
}

static void poll_both_ways(void) {
  const bool readable = channel.buffered > 0 || channel.ended;
  if (readable) {
    CHECK_EQ(st_netfd_poll(channel.reader, POLLIN, 0), 0);
  } else {
    CHECK_FAILS(st_netfd_poll(channel.reader, POLLIN, 0), ETIME);
  }
  struct pollfd raw = {.fd = channel.osfd[0], .events = POLLIN};
  CHECK_EQ(st_poll(&raw, 1, 0), readable ? 1 : 0);
}

static void end_stream(void) {
  if (channel.ended) return;
  CHECK_EQ(st_netfd_close(channel.writer), 0);
  channel.ended = true;
  until_delivered();
}

static void take_a_step(void) {
  switch (below(24)) {
    case 0:
    case 1:
    case 2:
      put_some(true);
      break;
    case 3:
    case 4:
    case 5:
      put_some(false);
      break;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
      read_some(channel.reader);
      break;
    case 11:
    case 12:
      read_some(channel.same_reader);
      break;
    case 13:
    case 14:
    case 15:
      read_all_or_less();
      break;
    case 16:
    case 17:
      read_raw();
      break;
    case 18:
    case 19:
      poll_both_ways();
      break;
    case 20:
    case 21:
    case 22:
      pass();
      break;
    case 23:
      if (below(8) == 0) end_stream();
      break;
  }
}

// The descriptors are closed past the library, so the next sequence meets the same numbers again.
static void run_sequences(void (*open_pair)(int[2])) {
  for (unsigned sequence = 1; sequence <= kSequences; ++sequence) {
    state = sequence;
    channel = (struct Channel){.buffered = 0};
    open_pair(channel.osfd);
    channel.reader = st_netfd_open(channel.osfd[0]);
    channel.same_reader = st_netfd_open(channel.osfd[0]);
    channel.writer = st_netfd_open(channel.osfd[1]);
    CHECK(channel.reader != NULL && channel.same_reader != NULL && channel.writer != NULL);
    for (int step = 0; step < kSteps; ++step) take_a_step();
    st_netfd_free(channel.same_reader);
    if (sequence % 2) {
      CHECK_EQ(st_netfd_close(channel.reader), 0);
    } else {
      st_netfd_free(channel.reader);
      CHECK_EQ(close(channel.osfd[0]), 0);
    }
    if (!channel.ended) CHECK_EQ(st_netfd_close(channel.writer), 0);
  }
}

CASE(random_transfers, over_a_unix_socket) { run_sequences(open_unix); }
CASE(random_transfers, over_tcp) { run_sequences(open_tcp); }
CASE(random_transfers, over_a_pipe) { run_sequences(open_pipe); }

static char block[1 << 16];

// Fills the channel, through the library or past it; returns how many bytes that were.
static size_t fill_either_way(st_netfd_t writer) {
  if (below(2)) return fill(channel.osfd[1]);
  size_t total = 0;
  size_t left;
  int result;
  do {
    left = sizeof block;
    result = st_write_resid(writer, block, &left, 0);
    total += sizeof block - left;
  } while (result == 0);
  CHECK_EQ(errno, ETIME);
  return total;
}

static void drain_either_way(st_netfd_t reader, size_t total) {
  while (total > 0) {
    const size_t size = 1 + below(sizeof block - 1);
    const ssize_t got = below(2) ? st_read(reader, block, size, ST_UTIME_NO_TIMEOUT)
                                 : read(channel.osfd[0], block, size);
    CHECK(got > 0 || (got == -1 && errno == EAGAIN));
    if (got > 0) total -= (size_t)got;
    if (below(3) == 0) pass();
  }
}

// Whenever the channel is empty again, a byte goes through it.
static void fill_and_drain(void (*open_pair)(int[2])) {
  open_pair(channel.osfd);
  st_netfd_t reader = st_netfd_open(channel.osfd[0]);
  st_netfd_t writer = st_netfd_open(channel.osfd[1]);
  for (unsigned round = 0; round < 20; ++round) {
    state = round + 1;
    const size_t total = fill_either_way(writer);
    if (below(2)) pass();
    drain_either_way(reader, total);
    CHECK_EQ(st_write(writer, "x", 1, ST_UTIME_NO_TIMEOUT), 1);
    CHECK_EQ(st_read(reader, block, sizeof block, ST_UTIME_NO_TIMEOUT), 1);
  }
}

CASE(fill_and_drain, a_unix_socket) { fill_and_drain(open_small_unix); }
CASE(fill_and_drain, tcp) { fill_and_drain(open_small_tcp); }
CASE(fill_and_drain, a_pipe) { fill_and_drain(open_pipe); }
