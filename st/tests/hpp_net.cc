// st.hpp: sockets, and closing them under the feet of waiting threads.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <span>
#include <string>
#include <utility>

#include "isolated.h"
#include "st.hpp"

using namespace std::chrono_literals;

namespace {

constexpr auto kLong = 20s;  // must not pass

struct Ends {
  st::stream a, b;
  Ends() {
    auto pair = st::stream::pair();
    a = std::move(pair.first);
    b = std::move(pair.second);
  }
};

TEST(HppEndpoint, says_what_it_was_made_from) {
  for (const char* text : {"127.0.0.1:80", "[::1]:8080", "unix:/tmp/x", "[::]:0"})
    EXPECT_EQ(st::endpoint(text).to_string(), text);
  EXPECT_EQ(st::endpoint(":443").to_string(), "[::]:443");
  EXPECT_EQ(st::endpoint("10.1.2.3:65535").port(), 65535);
}

TEST(HppEndpoint, refuses_what_it_does_not_know) {
  for (const char* text :
       {"", "80", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1: 80", "[::1:80", "::1]:80", "unix:", "1.2.3:4"})
    EXPECT_THROW(st::endpoint{text}, std::system_error) << text;
  EXPECT_THROW(st::endpoint("unix:" + std::string(200, 'x')), std::system_error);
}

ST_TEST(HppStream, carries_text_and_bytes) {
  Ends ends;
  ends.a.write("hello", kLong);
  std::array<std::byte, 5> got;
  EXPECT_EQ(ends.b.read_fully(got, kLong), 5u);
  EXPECT_EQ(got[0], std::byte{'h'});
  ends.b.write(got, kLong);
  ends.b.write(std::span(got).first(2));
  ends.b.finish();
  std::string text(100, '\0');
  EXPECT_EQ(ends.a.read_fully(text, kLong), 7u);
  EXPECT_EQ(text.substr(0, 7), "hellohe");
  EXPECT_EQ(ends.a.read(text, kLong), 0u);
}

ST_TEST(HppStream, connects_and_accepts) {
  st::listener listener("127.0.0.1:0");
  std::string peer;
  st::thread server([&] {
    st::stream client = listener.accept(kLong);
    peer = client.peer_endpoint().to_string();
    client.write("welcome", kLong);
  });
  st::stream stream = st::stream::connect(listener.local_endpoint(), kLong);
  stream.no_delay();
  std::string text(7, '\0');
  stream.read_fully(text, kLong);
  server.join();
  EXPECT_EQ(text, "welcome");
  EXPECT_EQ(peer, stream.local_endpoint().to_string());
}

ST_TEST(HppStream, a_refused_connection_says_so) {
  st::endpoint nobody;
  {
    st::listener listener("127.0.0.1:0");
    nobody = listener.local_endpoint();
  }
  std::error_code ec;
  EXPECT_FALSE(st::stream::connect(nobody, kLong, ec));
  EXPECT_EQ(ec, std::errc::connection_refused);
  EXPECT_THROW(st::stream::connect(nobody, kLong), std::system_error);
}

ST_TEST(HppStream, a_deadline_holds_for_the_whole_call_though_bytes_keep_coming) {
  Ends ends;
  st::thread dripper([&](std::stop_token stop) {
    std::error_code ec;
    while (!stop.stop_requested()) {
      ends.b.write("x", {}, ec);
      st::sleep_for(2ms, ec);
    }
  });
  std::string all(1'000'000, '\0');
  std::error_code ec;
  const std::size_t got = ends.a.read_fully(all, 30ms, ec);
  EXPECT_EQ(ec, st::timed_out);
  EXPECT_GT(got, 0u);
}

ST_TEST(HppStream, a_deadline_holds_for_a_whole_write_though_bytes_keep_going) {
  Ends ends;
  st::thread slow([&](std::stop_token stop) {
    // As much as makes room, so that the writer goes on each time.
    std::string some(256 * 1024, '\0');
    std::error_code ec;
    while (!stop.stop_requested()) {
      ends.b.read(some, {}, ec);
      st::sleep_for(5ms, ec);
    }
  });
  const std::string much(16'000'000, 'x');
  std::error_code ec;
  const std::size_t put = ends.a.write(much, 30ms, ec);
  EXPECT_EQ(ec, st::timed_out);
  EXPECT_GT(put, 0u);
  EXPECT_LT(put, much.size());
}

ST_TEST(HppStream, large_transfers_arrive_whole) {
  Ends ends;
  const std::string sent = [] {
    std::string made;
    while (made.size() < 3'000'000) made += std::to_string(made.size()) + ",";
    return made;
  }();
  st::thread writer([&] {
    ends.a.write(std::string_view(sent).substr(0, 1'500'000));
    ends.a.write(std::string_view(sent).substr(1'500'000), kLong);
  });
  std::string got(sent.size(), '\0');
  EXPECT_EQ(ends.b.read_fully(got, kLong), sent.size());
  EXPECT_TRUE(got == sent);
}

ST_TEST(HppStream, closing_wakes_every_thread_in_it_and_leaks_nothing) {
  Ends ends;
  std::array<std::error_code, 3> met;
  const std::string much(16'000'000, 'x');
  std::string buffer(10, '\0');
  st::thread reader([&] { ends.a.read(buffer, {}, met[0]); });
  st::thread second([&] { ends.a.read(buffer, kLong, met[1]); });
  st::thread writer([&] { ends.a.write(much, {}, met[2]); });
  st::yield();
  const int number = ends.a.fileno();
  ends.a.close();
  EXPECT_EQ(ends.a.fileno(), -1);
  reader.join();
  second.join();
  writer.join();
  for (auto& ec : met) EXPECT_EQ(ec, st::canceled) << ec.message();
  EXPECT_EQ(fcntl(number, F_GETFD), -1) << "the descriptor is still open";
  ends.a.read(buffer, {}, met[0]);
  EXPECT_EQ(met[0], st::canceled) << "a call after the close";
}

ST_TEST(HppStream, one_that_is_moved_or_destroyed_during_a_wait_does_no_harm) {
  Ends ends;
  std::error_code met;
  std::string buffer(5, '\0');
  st::thread reader([&] { ends.b.read_fully(buffer, kLong, met); });
  st::yield();
  {
    st::stream elsewhere = std::move(ends.b);
    st::yield();
  }
  reader.join();
  EXPECT_EQ(met, st::canceled);
}

ST_TEST(HppStream, an_interrupt_is_told_from_a_close) {
  Ends ends;
  std::error_code met;
  std::string buffer(5, '\0');
  st::thread reader([&] { ends.a.read(buffer, {}, met); });
  st::yield();
  reader.interrupt();
  reader.join();
  EXPECT_EQ(met, st::interrupted);
}

ST_TEST(HppListener, closing_ends_the_accepting_thread_though_another_process_shares_the_socket) {
  st::listener listener("127.0.0.1:0");
  const int copy = dup(listener.fileno());
  std::error_code met;
  st::thread acceptor([&] { listener.accept({}, met); });
  st::yield();
  listener.close();
  acceptor.join();
  EXPECT_EQ(met, st::canceled);
  int listening = 0;
  socklen_t size = sizeof(listening);
  getsockopt(copy, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size);
  EXPECT_EQ(listening, 1) << "the others can no longer accept";
  close(copy);
}

ST_TEST(HppListener, an_address_in_use_is_named) {
  st::listener listener("127.0.0.1:0");
  try {
    st::listener again(listener.local_endpoint());
    FAIL() << "two listeners on one port";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::address_in_use);
    EXPECT_NE(std::string(error.what()).find("127.0.0.1:"), std::string::npos) << error.what();
  }
}

ST_TEST(HppListener, two_share_a_port_when_both_ask_for_it) {
  st::listener first("127.0.0.1:0", {.reuse_port = true});
  st::listener second(first.local_endpoint(), {.reuse_port = true});
  EXPECT_EQ(first.local_endpoint().port(), second.local_endpoint().port());
}

ST_TEST(HppDatagram, goes_there_and_back) {
  st::datagram here("127.0.0.1:0"), there("127.0.0.1:0");
  here.send("ping", there.local_endpoint(), kLong);
  std::string buffer(100, '\0');
  st::endpoint from;
  EXPECT_EQ(there.receive(buffer, from, kLong), 4u);
  EXPECT_EQ(from.to_string(), here.local_endpoint().to_string());
  std::error_code ec;
  EXPECT_EQ(here.receive(buffer, from, 1ms, ec), 0u);
  EXPECT_EQ(ec, st::timed_out);
}

}  // namespace
