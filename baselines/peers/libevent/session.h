// A connection in a libevent loop. It waits for one thing at a time: to be readable, to be
// writable, or for a job.
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include <list>

#include "baselines/common/fd.h"
#include "baselines/common/http.h"

namespace baselines {

class EventLoop;

class Session {
 public:
  Session(EventLoop& loop, Fd socket);  // begin() follows
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Waits for the first request. False without memory for that: then it is to be destroyed.
  [[nodiscard]] bool begin();

  int fd() const { return socket_.get(); }
  std::list<Session>::iterator self;  // the loop's

 private:
  static void became_readable(evutil_socket_t, short, void* session);
  static void became_writable(evutil_socket_t, short, void* session);
  static void timer_passed(evutil_socket_t, short, void* session);
  void follow(Want want, Clock::time_point now);
  Want write_out(Clock::time_point now);
  bool carry_out_job();
  static void fetched(void* session);
  // Both as begin().
  [[nodiscard]] bool wait_for(event* next);
  [[nodiscard]] bool arm_timer(Clock::time_point now);

  static constexpr Clock::time_point kNotArmed = Clock::time_point::max();

  EventLoop& loop_;
  Fd socket_;
  Connection connection_;
  event readable_{};
  event writable_{};
  // The deadline moves with every request, the timer when it passes, or when the deadline has come
  // nearer.
  event timer_{};
  Clock::time_point timer_at_ = kNotArmed;
  event* waiting_ = nullptr;  // the one of the first two that is added; null: for a job
};

}  // namespace baselines
