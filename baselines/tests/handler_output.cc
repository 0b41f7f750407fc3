// Sending: large bodies, what is counted and when, and which memory is held.
#include <thread>

#include "baselines/tests/handler_driver.h"

namespace baselines::test {
namespace {

TEST(Sending, sixteen_mebibytes_in_odd_sizes) {
  Driver driver;
  driver.connection.advance(get("/bytes/16777216"), driver.now);
  std::size_t odd = 1;
  std::string all;
  while (driver.connection.want() == Want::output) {
    const std::string some = driver.first_bytes(odd);
    driver.connection.sent(some.size(), driver.now);
    all += some;
    odd = odd * 3 % 1000003;
  }
  ASSERT_EQ(field_of(all.substr(0, 400), "Content-Length"), "16777216");
  const std::size_t head = all.find("\r\n\r\n") + 4;
  EXPECT_TRUE(std::string_view(all).substr(head) == default_site().pattern());
  EXPECT_EQ(driver.slot.bytes.load(), all.size());
  EXPECT_TRUE(driver.waiting());
}

TEST(Sending, nothing_taken_changes_nothing) {
  Driver driver;
  driver.connection.advance(get("/plaintext"), driver.now);
  const std::string before = driver.first_bytes(std::string::npos);
  const Clock::time_point deadline = driver.connection.deadline();
  driver.now += std::chrono::seconds(1);
  EXPECT_EQ(driver.connection.sent(0, driver.now), Want::output);
  EXPECT_EQ(driver.first_bytes(std::string::npos), before);
  EXPECT_EQ(driver.connection.deadline(), deadline);
}

TEST(Counting, an_answer_counts_when_its_last_byte_has_gone) {
  Driver driver;
  driver.connection.advance(get("/plaintext") + get("/nothing"), driver.now);
  const std::string all = driver.first_bytes(std::string::npos);
  const std::size_t first = split_answers(all)[0].size();
  driver.connection.sent(first - 1, driver.now);
  EXPECT_EQ(driver.slot.requests.load(), 0u);
  EXPECT_EQ(driver.slot.served.load(), 0u);
  driver.connection.sent(1, driver.now);
  EXPECT_EQ(driver.slot.requests.load(), 1u);
  EXPECT_EQ(driver.slot.served.load(), 1u);
  EXPECT_EQ(driver.slot.errors.load(), 0u);
  driver.connection.sent(all.size() - first, driver.now);
  EXPECT_EQ(driver.slot.requests.load(), 2u);
  EXPECT_EQ(driver.slot.served.load(), 1u);
  EXPECT_EQ(driver.slot.errors.load(), 1u);
  EXPECT_EQ(driver.slot.bytes.load(), all.size());
}

TEST(Counting, connections_are_counted_when_made_and_when_gone) {
  CounterSlot slot{};
  {
    const Connection connection(default_site(), slot, kStart);
    EXPECT_EQ(slot.connections.load(), 1u);
    EXPECT_EQ(slot.closed.load(), 0u);
  }
  EXPECT_EQ(slot.closed.load(), 1u);
  EXPECT_EQ(slot.served.load(), 0u);
}

TEST(Counting, a_connection_handed_on_counts_in_the_new_slot) {
  CounterSlot first{};
  CounterSlot second{};
  {
    Connection connection(default_site(), first, kStart);
    connection.handed_to(second);
  }
  EXPECT_EQ(first.connections.load(), 1u);
  EXPECT_EQ(first.closed.load(), 0u);
  EXPECT_EQ(second.closed.load(), 1u);
}

std::ptrdiff_t blocks() { return BufferPool::statistics().borrowed; }

TEST(Memory, a_connection_is_small) { EXPECT_LE(sizeof(Connection), 128u); }

TEST(Memory, an_idle_connection_holds_no_block) {
  const std::ptrdiff_t before = blocks();
  Driver driver;
  EXPECT_EQ(blocks(), before);
  driver.feed(get("/bytes/100000"));
  EXPECT_EQ(blocks(), before);
  driver.feed(get("/plaintext", "Content-Length: 5\r\n"));
  EXPECT_EQ(blocks(), before + 1) << "the head waits for its body";
  driver.feed("12345");
  EXPECT_EQ(blocks(), before);
}

TEST(Memory, half_a_request_and_untaken_output_hold_one_block_each) {
  const std::ptrdiff_t before = blocks();
  {
    Driver driver;
    driver.feed("GET /pla");
    EXPECT_EQ(blocks(), before + 1);
    driver.connection.advance(
        "intext HTTP/1.1\r\nHost: test\r\n\r\n"
        "GET",
        driver.now);
    EXPECT_EQ(blocks(), before + 2);
  }
  EXPECT_EQ(blocks(), before) << "given back by the destructor";
}

TEST(Memory, a_refused_client_holds_only_its_answer) {
  const std::ptrdiff_t before = blocks();
  Driver driver;
  driver.connection.advance("BAD\n" + std::string(100000, 'x'), driver.now);
  EXPECT_EQ(blocks(), before + 1);
  driver.drain();
  EXPECT_EQ(blocks(), before);
}

TEST(Memory, what_came_behind_a_closing_request_is_not_held) {
  const std::ptrdiff_t before = blocks();
  std::string input;
  for (int i = 0; i < 100; ++i) input += get("/plaintext");  // more than one output takes
  input += get("/plaintext", "Connection: close\r\n") + std::string(100000, 'x');
  Driver driver;
  driver.connection.advance(input, driver.now);
  EXPECT_GT(blocks(), before + 2);
  driver.drain();
  EXPECT_TRUE(driver.closed());
  EXPECT_EQ(blocks(), before);
}

TEST(Memory, a_connection_may_end_on_another_thread) {
  const std::ptrdiff_t before = blocks();
  auto driver = std::make_unique<Driver>();
  driver->feed("GET /");
  std::ptrdiff_t there = 0;
  std::thread([&] {
    driver.reset();
    there = blocks();
  }).join();
  EXPECT_EQ(blocks() + there, before);
}

}  // namespace
}  // namespace baselines::test
