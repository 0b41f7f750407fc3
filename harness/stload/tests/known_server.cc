// A server with known delays: it answers every request after a time that it writes down, so that
// what a load generator reports can be compared with the truth. For tests; built on st.
//
//   known_server DELAY_US SLOW_EVERY SLOW_US STALL_AT_MS STALL_MS SPIN
//
// Every request waits DELAY_US, every SLOW_EVERYth SLOW_US instead (0: none). From STALL_AT_MS
// after the first request on, for STALL_MS, no answer is sent at all (0: never). SPIN 1: it never
// sleeps in the kernel, from which waking up takes longer than all it does. Prints one JSON line
// when it listens. When stdin ends it prints one list: for each request, in microseconds after the
// first one, when it was read, and how long after that its answer was written.
#include <arpa/inet.h>
#include <st.h>
#include <sys/prctl.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

namespace {

st_utime_t delay_us, slow_every, slow_us, stall_at_us, stall_us;
st_utime_t first = 0;  // when the first request was read; 0: not yet
std::vector<std::pair<st_utime_t, st_utime_t>> truth;

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

// When the answer to a request that was read at `read` is sent.
st_utime_t answer_time(st_utime_t read) {
  const bool slow = slow_every > 0 && truth.size() % slow_every == slow_every - 1;
  const st_utime_t due = read + (slow ? slow_us : delay_us);
  const st_utime_t stall_begin = first + stall_at_us;
  const bool stalled = stall_us > 0 && due >= stall_begin && due < stall_begin + stall_us;
  return stalled ? stall_begin + stall_us : due;
}

void* serve(void* argument) {
  auto* socket = static_cast<st_netfd_t>(argument);
  char request[4096];
  std::size_t have = 0;
  for (;;) {
    const ssize_t got =
        st_read(socket, request + have, sizeof(request) - have, ST_UTIME_NO_TIMEOUT);
    if (got <= 0) break;
    const st_utime_t read = st_utime();
    have += static_cast<std::size_t>(got);
    if (!std::string_view(request, have).ends_with("\r\n\r\n")) continue;
    have = 0;
    if (first == 0) first = read;
    const std::size_t number = truth.size();
    const st_utime_t due = answer_time(read);
    truth.emplace_back(read - first, 0);
    const st_utime_t now = st_utime();
    if (due > now) st_usleep(due - now);
    truth[number].second = st_utime() - read;
    if (st_write(socket, kAnswer.data(), kAnswer.size(), ST_UTIME_NO_TIMEOUT) < 0) break;
  }
  st_netfd_close(socket);
  return nullptr;
}

void* accept_all(void* argument) {
  auto* listener = static_cast<st_netfd_t>(argument);
  while (st_netfd_t client = st_accept(listener, nullptr, nullptr, ST_UTIME_NO_TIMEOUT)) {
    st_thread_create(serve, client, 0, 0);
  }
  return nullptr;
}

// Keeps the process from sleeping in the kernel: on a machine with idle CPUs waking up takes as
// long as everything else together.
void* spin(void*) {
  for (;;) st_usleep(0);
}

void wait_for_the_end() {
  st_netfd_t input = st_netfd_open(STDIN_FILENO);
  char nothing;
  while (st_read(input, &nothing, 1, ST_UTIME_NO_TIMEOUT) > 0) continue;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(
        stderr,
        "usage: known_server DELAY_US SLOW_EVERY SLOW_US STALL_AT_MS STALL_MS SPIN\n"
        "answers each request after a known time, until stdin ends, and prints the truth\n");
    return 2;
  }
  const auto number = [&](int i) { return static_cast<st_utime_t>(std::atoll(argv[i])); };
  delay_us = number(1), slow_every = number(2), slow_us = number(3);
  stall_at_us = 1000 * number(4), stall_us = 1000 * number(5);

  prctl(PR_SET_TIMERSLACK, 1);  // wakes when it wants to, not up to 50 us later
  st_init();
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 4096) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return 1;
  }
  st_thread_create(accept_all, st_netfd_open_socket(fd), 0, 0);
  if (number(6) == 1) st_thread_create(spin, nullptr, 0, 0);
  std::printf("{\"event\":\"ready\",\"url\":\"http://127.0.0.1:%d\"}\n", ntohs(address.sin_port));
  std::fflush(stdout);
  wait_for_the_end();
  std::printf("[");
  for (std::size_t i = 0; i < truth.size(); ++i) {
    std::printf("%s[%llu,%llu]", i ? "," : "", truth[i].first, truth[i].second);
  }
  std::printf("]\n");
}
