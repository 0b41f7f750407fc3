// The names of st.hpp and those inside the library share a namespace: tests may include both.
#include <gtest/gtest.h>

#include "bell.h"
#include "check.h"
#include "clock.h"
#include "errors.h"
#include "event/event.h"
#include "io.h"
#include "isolated.h"
#include "key.h"
#include "list.h"
#include "offload.h"
#include "overflow.h"
#include "sanitizer.h"
#include "scheduler.h"
#include "st.hpp"
#include "stack.h"
#include "sync.h"
#include "timer.h"

ST_TEST(HppInternals, both_are_what_they_are) {
  st::thread thread([] {});
  const st::Thread* inside = thread.native_handle();
  EXPECT_EQ(inside->state, st::State::runnable);
  EXPECT_EQ(st::scheduler.current(), st_thread_self());
}
