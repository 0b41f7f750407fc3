// The loop of libevent where libevent gets no memory: who needs some is told or cut off, the others
// are served, and afterwards everybody is.
#include <arpa/inet.h>
#include <event2/event.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include "baselines/common/listener.h"
#include "baselines/peers/libevent/loop.h"

namespace baselines {
namespace {

std::atomic<bool> memory_is_there{true};

Fd make_socket() { return Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

sockaddr_in address_of(const Fd& listener) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length);
  return address;
}

// Listens and never accepts: the kernel takes the request, and nobody answers it.
Fd listen_somewhere() {
  Fd listener = make_socket();
  sockaddr_in anywhere{};
  anywhere.sin_family = AF_INET;
  anywhere.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&anywhere), sizeof(anywhere)), 0);
  EXPECT_EQ(listen(listener.get(), 8), 0);
  return listener;
}

SiteOptions with_origin(const Fd& listener) {
  SiteOptions options;
  options.origin_host = "127.0.0.1";
  options.origin_port = ntohs(address_of(listener).sin_port);
  return options;
}

class LibeventLoop : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    event_set_mem_functions(
        [](std::size_t size) { return memory_is_there ? std::malloc(size) : nullptr; },
        [](void* old, std::size_t size) {
          return memory_is_there ? std::realloc(old, size) : nullptr;
        },
        std::free);
  }

  LibeventLoop() {
    options.port = 0;
    listeners = open_listeners(options, 1);
    make_nonblocking(listeners.front());
    thread = std::thread([this] { EventLoop(server, listeners.front(), slot).run(); });
  }
  ~LibeventLoop() override {
    memory_is_there = true;
    kill(getpid(), SIGTERM);  // which is blocked, and read by the loop
    thread.join();
  }

  Fd connect_client() const {
    Fd client = make_socket();
    const timeval patience{20, 0};
    setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    const sockaddr_in address = address_of(listeners.front());
    EXPECT_EQ(connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
              0);
    return client;
  }

  // The first line of the answer; empty: cut off.
  static std::string ask(const Fd& client, const std::string& path) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
    send(client.get(), request.data(), request.size(), MSG_NOSIGNAL);
    char answer[4096];
    const ssize_t size = recv(client.get(), answer, sizeof(answer), 0);
    EXPECT_FALSE(size < 0 && errno == EAGAIN) << "neither answered nor cut off";
    const std::string text(answer, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return text.substr(0, text.find('\r'));
  }

  Fd silent = listen_somewhere();
  Signals signals;
  Options options;
  Site site{with_origin(silent)};
  CountersFile counters{""};
  CounterSlot& slot = *counters.take();
  Server server{options, site, counters, signals};
  std::vector<Fd> listeners;
  std::thread thread;
};

TEST_F(LibeventLoop, a_client_without_memory_is_cut_off_and_the_others_are_served) {
  const Fd early = connect_client();
  EXPECT_EQ(ask(early, "/plaintext"), "HTTP/1.1 200 OK");
  testing::internal::CaptureStderr();
  memory_is_there = false;
  EXPECT_EQ(ask(connect_client(), "/plaintext"), "");
  EXPECT_EQ(ask(early, "/plaintext"), "HTTP/1.1 200 OK");
  memory_is_there = true;
  EXPECT_EQ(ask(connect_client(), "/plaintext"), "HTTP/1.1 200 OK");
  EXPECT_NE(testing::internal::GetCapturedStderr().find("out of memory"), std::string::npos);
}

TEST_F(LibeventLoop, a_request_to_the_origin_without_memory_fails_and_the_connection_lives) {
  const Fd client = connect_client();
  EXPECT_EQ(ask(client, "/plaintext"), "HTTP/1.1 200 OK");
  memory_is_there = false;
  EXPECT_EQ(ask(client, "/proxy/"), "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(ask(client, "/plaintext"), "HTTP/1.1 200 OK");
}

}  // namespace
}  // namespace baselines
