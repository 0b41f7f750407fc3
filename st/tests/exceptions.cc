// C++ exceptions in state threads: each has its own, whatever the others are handling meanwhile.
#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "isolated.h"
#include "support.h"

namespace {

using st_tests::Thread;

ST_TEST(Exceptions, thrown_and_caught_inside_a_thread) {
  std::string caught;
  Thread([&] {
    try {
      throw std::runtime_error("thrown");
    } catch (const std::exception& error) {
      caught = error.what();
    }
  }).join();
  EXPECT_EQ(caught, "thrown");
}

ST_TEST(Exceptions, each_of_several_threads_in_catch_blocks_rethrows_its_own) {
  constexpr int kThreads = 20;
  int right = 0;
  {
    std::vector<Thread> threads;
    for (int i = 0; i < kThreads; ++i)
      threads.emplace_back([&right, i] {
        try {
          try {
            throw i;
          } catch (int) {
            // All are here at once, and leave in another order than they came.
            st_usleep(static_cast<st_utime_t>((i * 7) % kThreads * 100));
            throw;
          }
        } catch (int rethrown) {
          right += rethrown == i;
        }
      });
  }
  EXPECT_EQ(right, kThreads);
}

ST_TEST(Exceptions, current_exception_belongs_to_the_thread) {
  std::exception_ptr inside;
  Thread handling([&] {
    try {
      throw std::string("mine");
    } catch (...) {
      st_thread_yield();
      inside = std::current_exception();
    }
    EXPECT_EQ(std::current_exception(), nullptr);
  });
  st_thread_yield();
  EXPECT_EQ(std::current_exception(), nullptr) << "another thread's exception";
  handling.join();
  EXPECT_THROW(std::rethrow_exception(inside), std::string);
}

ST_TEST(Exceptions, nested_ones_survive_switches) {
  std::string seen;
  const auto nest = [&](char name) {
    return [&seen, name] {
      try {
        throw std::string(1, name) + "1";
      } catch (const std::string& outer) {
        st_thread_yield();
        try {
          throw std::string(1, name) + "2";
        } catch (const std::string& inner) {
          st_thread_yield();
          seen += inner;
        }
        st_thread_yield();
        seen += outer;
      }
    };
  };
  { Thread a(nest('a')), b(nest('b')); }
  EXPECT_EQ(seen, "a2b2a1b1");
}

// Yields while it is being unwound, and notes how many exceptions its thread has in flight.
struct Unwinding {
  int& during;
  ~Unwinding() {
    st_thread_yield();
    during = std::uncaught_exceptions();
  }
};

ST_TEST(Exceptions, switch_while_unwinding_counts_for_this_thread_alone) {
  int during = -1;
  Thread throwing([&] {
    try {
      const Unwinding unwinding{during};
      throw 1;
    } catch (int) {
      EXPECT_EQ(std::uncaught_exceptions(), 0);
    }
  });
  int others = -1;
  Thread watching([&] { others = std::uncaught_exceptions(); });
  st_thread_yield();
  EXPECT_EQ(std::uncaught_exceptions(), 0);
  throwing.join();
  watching.join();
  EXPECT_EQ(during, 1);
  EXPECT_EQ(others, 0);
}

ST_TEST(Exceptions, two_threads_unwind_at_once) {
  int a = -1, b = -1;
  const auto unwind = [](int& during) {
    return [&during] {
      try {
        const Unwinding unwinding{during};
        throw 1;
      } catch (int) {
        st_thread_yield();
        EXPECT_EQ(std::uncaught_exceptions(), 0);
      }
    };
  };
  { Thread first(unwind(a)), second(unwind(b)); }
  EXPECT_EQ(a, 1);
  EXPECT_EQ(b, 1);
}

// Of a thread that ends in a catch block: nobody ends the handling, so the exception stays for
// ever, and leak checkers find it by this.
const int* never_handled;

ST_TEST(Exceptions, stack_of_a_thread_that_ended_in_a_catch_block_starts_clean) {
  const auto end_while_handling = [](void*) -> void* {
    try {
      throw 1;
    } catch (const int& caught) {
      never_handled = &caught;
      st_thread_exit(nullptr);
    }
    return nullptr;
  };
  ASSERT_EQ(st_thread_join(st_thread_create(end_while_handling, nullptr, 1, 0), nullptr), 0);
  EXPECT_EQ(std::current_exception(), nullptr);
  const auto look = [](void*) -> void* {
    EXPECT_EQ(std::current_exception(), nullptr);
    EXPECT_EQ(std::uncaught_exceptions(), 0);
    return nullptr;
  };
  ASSERT_EQ(st_thread_join(st_thread_create(look, nullptr, 1, 0), nullptr), 0);
  EXPECT_EQ(*never_handled, 1);
}

ST_TEST(Exceptions, waits_of_every_kind_in_a_catch_block) {
  const st_cond_t cond = st_cond_new();
  st_tests::Ends pipe = st_tests::pipe_to_read();
  std::string seen;
  Thread waiting([&] {
    try {
      throw std::string("kept");
    } catch (const std::string& kept) {
      EXPECT_EQ(st_cond_timedwait(cond, 1'000), -1);
      seen += kept + st_tests::read_some(pipe.st, 1);
      EXPECT_EQ(st_usleep(100), 0);
      EXPECT_EQ(std::uncaught_exceptions(), 0);
    }
  });
  try {
    throw 1;
  } catch (int) {
    st_usleep(2'000);
    pipe.peer.put("!");
    waiting.join();
  }
  EXPECT_EQ(seen, "kept!");
  EXPECT_EQ(st_cond_destroy(cond), 0);
}

ST_TEST(Exceptions, two_threads_that_take_turns_at_conditions_see_only_their_own) {
  const st_cond_t turns[] = {st_cond_new(), st_cond_new()};
  std::string seen;
  Thread other([&] {
    st_cond_wait(turns[1]);
    EXPECT_EQ(std::current_exception(), nullptr) << "another thread's exception";
    st_cond_signal(turns[0]);
  });
  st_thread_yield();
  try {
    throw std::string("kept");
  } catch (const std::string&) {
    st_cond_signal(turns[1]);
    st_cond_wait(turns[0]);  // nobody but the other is runnable
    try {
      throw;
    } catch (const std::string& kept) {
      seen = kept;
    }
  }
  other.join();
  EXPECT_EQ(seen, "kept");
  for (const st_cond_t turn : turns) EXPECT_EQ(st_cond_destroy(turn), 0);
}

}  // namespace
