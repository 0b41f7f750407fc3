// The door without a server: what it does when even the spare descriptor is gone.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <vector>

#include "baselines/common/door.h"
#include "baselines/common/listener.h"

namespace baselines {
namespace {

Fd connect_to(const Fd& listener) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length);
  Fd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  return client;
}

class DoorTest : public testing::Test {
 protected:
  DoorTest() {
    options.port = 0;
    listeners = open_listeners(options, 1);
    make_nonblocking(listeners.front());
  }
  ~DoorTest() override { setrlimit(RLIMIT_NOFILE, &limit); }

  // From now on a new descriptor is to be had only by closing one.
  void fill_descriptors() {
    getrlimit(RLIMIT_NOFILE, &limit);
    rlimit small = limit;
    const Fd next(dup(0));
    small.rlim_cur = static_cast<rlim_t>(next.get());
    setrlimit(RLIMIT_NOFILE, &small);
  }
  void free_descriptors() { setrlimit(RLIMIT_NOFILE, &limit); }

  Door make_door() { return {listeners.front(), Door::Sockets::nonblocking, options, slot}; }

  Options options;
  std::vector<Fd> listeners;
  CounterSlot slot{};
  rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
  Door::CountOpen none = [] { return std::size_t{0}; };
};

TEST_F(DoorTest, nobody_waits) { EXPECT_EQ(make_door().accept(none).kind, Door::Kind::nobody); }

TEST_F(DoorTest, a_client_without_a_descriptor_is_answered_by_the_spare_one) {
  Door door = make_door();
  const Fd client = connect_to(listeners.front());
  fill_descriptors();
  EXPECT_EQ(door.accept(none).kind, Door::Kind::nobody);
  free_descriptors();
  EXPECT_EQ(slot.refused, 1u);
  char answer[64] = {};
  EXPECT_GT(recv(client.get(), answer, sizeof(answer) - 1, 0), 0);
  EXPECT_TRUE(std::string_view(answer).starts_with("HTTP/1.1 503 "));
}

TEST_F(DoorTest, without_even_a_spare_descriptor_it_pauses_and_the_client_waits) {
  const Fd client = connect_to(listeners.front());
  fill_descriptors();
  Door door = make_door();  // finds none to spare
  EXPECT_EQ(door.accept(none).kind, Door::Kind::pause);
  EXPECT_EQ(slot.refused, 0u);
  free_descriptors();
  const Door::Arrival arrival = door.accept(none);
  EXPECT_EQ(arrival.kind, Door::Kind::client);
}

TEST_F(DoorTest, open_connections_are_counted_after_the_client_has_come) {
  options.max_connections = 1;
  Door door = make_door();
  int asked = 0;
  const Door::CountOpen one = [&] {
    ++asked;
    return std::size_t{1};
  };
  EXPECT_EQ(door.accept(one).kind, Door::Kind::nobody);
  EXPECT_EQ(asked, 0);
  const Fd client = connect_to(listeners.front());
  EXPECT_EQ(door.accept(one).kind, Door::Kind::nobody);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(slot.refused, 1u);
}

TEST_F(DoorTest, after_the_end_of_listening_it_is_closed) {
  Door door = make_door();
  stop_listening(listeners);
  EXPECT_EQ(door.accept(none).kind, Door::Kind::closed);
}

TEST_F(DoorTest, accepted_sockets_inherit_what_was_set_once) {
  // Nobody sets an option for each connection, so it had better be true.
  options.idle_timeout = std::chrono::milliseconds(1500);
  listeners = open_listeners(options, 1);
  Door door(listeners.front(), Door::Sockets::blocking, options, slot);
  const Fd client = connect_to(listeners.front());
  const Door::Arrival arrival = door.accept(none);
  ASSERT_EQ(arrival.kind, Door::Kind::client);
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    timeval timeout{};
    socklen_t length = sizeof(timeout);
    getsockopt(arrival.socket.get(), SOL_SOCKET, option, &timeout, &length);
    EXPECT_EQ(timeout.tv_sec, 1);
    EXPECT_EQ(timeout.tv_usec, 500'000);
  }
  int no_delay = 0;
  socklen_t length = sizeof(no_delay);
  getsockopt(arrival.socket.get(), IPPROTO_TCP, 1 /* TCP_NODELAY */, &no_delay, &length);
  EXPECT_NE(no_delay, 0);
  EXPECT_EQ(fcntl(arrival.socket.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(arrival.socket.get(), F_GETFD) & FD_CLOEXEC, 0);
}

}  // namespace
}  // namespace baselines
