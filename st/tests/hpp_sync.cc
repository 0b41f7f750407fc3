// st.hpp: locks, conditions, semaphores and channels, above all what an interrupt or a destruction
// must not break.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "isolated.h"
#include "st.hpp"

using namespace std::chrono_literals;

namespace {

ST_TEST(HppMutex, is_what_the_locks_of_the_standard_library_want) {
  st::mutex a, b;
  {
    std::scoped_lock both(a, b);
    EXPECT_FALSE(a.try_lock());
  }
  std::unique_lock lock(a, std::try_to_lock);
  EXPECT_TRUE(lock.owns_lock());
}

ST_TEST(HppMutex, locking_is_not_interrupted_and_the_interrupt_meets_the_next_wait) {
  st::mutex mutex;
  std::error_code met;
  std::unique_lock held(mutex);
  st::thread locker([&] {
    std::scoped_lock lock(mutex);
    st::sleep_for(1h, met);
  });
  st::yield();
  locker.interrupt();
  st::yield();
  EXPECT_FALSE(met);
  held.unlock();
  locker.join();
  EXPECT_EQ(met, st::interrupted);
}

ST_TEST(HppMutex, locking_twice_is_an_error) {
  st::mutex mutex;
  std::scoped_lock lock(mutex);
  EXPECT_THROW(mutex.lock(), std::system_error);
}

ST_TEST(HppCondition, waits_with_and_without_a_lock) {
  st::mutex mutex;
  st::condition_variable changed;
  int value = 0;
  st::thread with([&] {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return value == 2; });
    EXPECT_TRUE(lock.owns_lock());
    value = 3;
    changed.notify_all();
  });
  st::thread without([&] {
    changed.wait([&] { return value == 1; });
    value = 2;
    changed.notify_all();
  });
  st::yield();
  value = 1;
  changed.notify_all();
  EXPECT_TRUE(changed.wait_for(10s, [&] { return value == 3; }));
}

ST_TEST(HppCondition, a_wait_in_vain_ends_at_its_deadline_however_often_it_is_woken) {
  st::condition_variable changed;
  st::thread noise([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      changed.notify_all();
      std::error_code ec;
      st::sleep_for(1ms, ec);
    }
  });
  EXPECT_FALSE(changed.wait_for(20ms, [] { return false; }));
  std::mutex nobodys;
  std::unique_lock lock(nobodys);
  EXPECT_FALSE(
      changed.wait_until(lock, std::chrono::steady_clock::now() + 20ms, [] { return false; }));
}

ST_TEST(HppCondition, a_notification_that_meets_an_interrupted_thread_goes_to_the_next) {
  st::condition_variable changed;
  std::error_code first_met, second_met;
  st::thread first([&] { changed.wait({}, first_met); });
  st::thread second([&] { changed.wait(10s, second_met); });
  st::yield();
  changed.notify_one();  // the first is woken...
  first.interrupt();     // ...and interrupted before it runs
  first.join();
  second.join();
  EXPECT_EQ(first_met, st::interrupted);
  EXPECT_FALSE(second_met) << "the notification was lost: " << second_met.message();
}

ST_TEST(HppCondition, destroying_one_sends_its_threads_away) {
  auto changed = std::make_optional<st::condition_variable>();
  std::error_code met, woken_met;
  st::thread woken([&] { changed->wait({}, woken_met); });
  st::thread waiting([&] { changed->wait({}, met); });
  st::yield();
  changed->notify_one();
  changed.reset();
  waiting.join();
  woken.join();
  EXPECT_EQ(met, st::canceled);
}

ST_TEST(HppSemaphore, lets_as_many_in_as_it_has_permits) {
  st::semaphore permits(2);
  int inside = 0, most = 0;
  std::vector<st::thread> threads;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&] {
      permits.acquire();
      most = std::max(most, ++inside);
      st::sleep_for(1ms);
      --inside;
      permits.release();
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(most, 2);
  EXPECT_TRUE(permits.try_acquire());
  EXPECT_TRUE(permits.try_acquire());
  EXPECT_FALSE(permits.try_acquire());
  std::error_code ec;
  permits.acquire(1ms, ec);
  EXPECT_EQ(ec, st::timed_out);
}

ST_TEST(HppSemaphore, a_permit_that_meets_an_interrupted_thread_goes_to_the_next) {
  st::semaphore permits(0);
  std::error_code first_met, second_met;
  st::thread first([&] { permits.acquire({}, first_met); });
  st::thread second([&] { permits.acquire(10s, second_met); });
  st::yield();
  permits.release();
  first.interrupt();
  second.join();
  first.join();
  EXPECT_EQ(first_met, st::interrupted);
  EXPECT_FALSE(second_met);
}

ST_TEST(HppChannel, is_bounded_and_in_order) {
  st::channel<std::unique_ptr<int>> channel(2);
  int sent = 0;
  st::thread sender([&] {
    for (int i = 0; i < 5; ++i) {
      channel.send(std::make_unique<int>(i));
      ++sent;
    }
    channel.close();
  });
  st::yield();
  EXPECT_EQ(sent, 2);
  int expected = 0;
  for (auto& value : channel) EXPECT_EQ(*value, expected++);
  EXPECT_EQ(expected, 5);
}

ST_TEST(HppChannel, a_value_that_was_not_sent_is_still_there) {
  st::channel<std::unique_ptr<int>> channel(1);
  channel.send(std::make_unique<int>(1));
  auto value = std::make_unique<int>(2);
  std::error_code ec;
  channel.send(std::move(value), 1ms, ec);
  EXPECT_EQ(ec, st::timed_out);
  EXPECT_TRUE(value);
  EXPECT_FALSE(channel.try_send(std::move(value)));
  EXPECT_TRUE(value);
  channel.close();
  channel.send(std::move(value), 1ms, ec);
  EXPECT_EQ(ec, std::errc::broken_pipe);
  EXPECT_TRUE(value);
}

ST_TEST(HppChannel, closing_wakes_both_sides_and_what_is_inside_can_be_had) {
  st::channel<int> full(1), empty(1);
  full.send(7);
  std::error_code send_met;
  bool ended = false;
  st::thread sender([&] { full.send(8, {}, send_met); });
  st::thread receiver([&] { ended = !empty.receive(); });
  st::yield();
  full.close();
  empty.close();
  sender.join();
  receiver.join();
  EXPECT_EQ(send_met, std::errc::broken_pipe);
  EXPECT_TRUE(ended);
  EXPECT_EQ(full.receive(), 7);
  EXPECT_EQ(full.receive(), std::nullopt);
}

ST_TEST(HppChannel, receiving_in_vain_times_out) {
  st::channel<int> channel(1);
  std::error_code ec;
  EXPECT_EQ(channel.receive(1ms, ec), std::nullopt);
  EXPECT_EQ(ec, st::timed_out);
  EXPECT_EQ(channel.try_receive(), std::nullopt);
  EXPECT_THROW(channel.receive(1ms), std::system_error);
}

ST_TEST(HppChannel, a_value_that_meets_an_interrupted_receiver_goes_to_the_next) {
  st::channel<int> channel(1);
  std::error_code first_met, second_met;
  std::optional<int> got;
  st::thread first([&] { channel.receive({}, first_met); });
  st::thread second([&] { got = channel.receive(10s, second_met); });
  st::yield();
  channel.send(5);
  first.interrupt();
  first.join();
  second.join();
  EXPECT_EQ(first_met, st::interrupted);
  EXPECT_EQ(got, 5);
}

ST_TEST(HppChannel, destroying_one_sends_its_threads_away) {
  auto channel = std::make_unique<st::channel<std::string>>(1);
  std::error_code met;
  st::thread receiver([&, from = channel.get()] { from->receive({}, met); });
  st::yield();
  channel.reset();
  receiver.join();
  EXPECT_EQ(met, st::canceled);
}

}  // namespace
