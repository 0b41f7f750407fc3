#include "clock.h"

#include "errors.h"
#include "scheduler.h"

namespace st {
namespace {

st_utime_t (*user_clock)() = nullptr;

// st_timecache_set(): when `seconds` was read, on the library's clock, and what it was; 0: not
// kept.
thread_local uint64_t cached_at = 0;
thread_local time_t cached_seconds = 0;
// As in State Threads 1.9: a little under a second, so that a refresh each second is never skipped.
constexpr uint64_t kSecondsKept = 999'000;

}  // namespace

uint64_t clock_now() {
  if (user_clock) return user_clock();
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1'000;
}

bool clock_is_users() { return user_clock != nullptr; }

void clock_refresh_seconds(uint64_t now) {
  if (cached_seconds == 0 || now - cached_at <= kSecondsKept) return;
  cached_seconds = time(nullptr);
  cached_at = now;
}

}  // namespace st

using st::scheduler;

int st_set_utime_function(st_utime_t (*func)()) {
  if (scheduler.ready()) return st::fail(EINVAL);
  st::user_clock = func;
  return 0;
}

st_utime_t st_utime() { return st::clock_now(); }

st_utime_t st_utime_last_clock() { return scheduler.last_clock(); }

int st_timecache_set(int on) {
  const int before = st::cached_seconds != 0;
  st::cached_seconds = on ? time(nullptr) : 0;
  st::cached_at = on ? st::clock_now() : 0;
  return before;
}

time_t st_time() { return st::cached_seconds ? st::cached_seconds : time(nullptr); }

ST_RETURNS_BY_JUMP int st_usleep(st_utime_t usecs) {
  if (scheduler.take_interrupt()) return -1;
  scheduler.suspend(st::State::sleeping, usecs);
  return scheduler.take_interrupt() ? -1 : 0;
}

int st_sleep(int secs) {
  return st_usleep(secs < 0 ? ST_UTIME_NO_TIMEOUT : static_cast<st_utime_t>(secs) * 1'000'000);
}
