// A libevent loop: accepting, sessions and the end.
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include <array>
#include <list>
#include <memory>
#include <span>

#include "baselines/common/door.h"
#include "baselines/common/program.h"
#include "baselines/common/straight_loop.h"
#include "baselines/peers/libevent/fetches.h"
#include "baselines/peers/libevent/session.h"

namespace baselines {

class EventLoop {
 public:
  EventLoop(Server& server, const Fd& listener, CounterSlot& slot);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Until a stop signal has come and the last connection has ended.
  void run() { event_base_dispatch(base()); }

  void destroy(Session& session);

  Fetches& fetches() { return fetches_; }
  event_base* base() const { return base_.get(); }
  const Site& site() const { return server_.site; }
  CounterSlot& slot() const { return slot_; }
  std::span<char> buffer() { return buffer_; }

 private:
  struct FreeBase {
    void operator()(event_base* base) const noexcept { event_base_free(base); }
  };

  // Connections accepted in one go: few enough that nobody waits long behind the others.
  static constexpr int kAccepts = 64;

  static void somebody_connects(evutil_socket_t, short, void* loop);
  static void accept_again(evutil_socket_t, short, void* loop);
  static void signal_came(evutil_socket_t, short, void* loop);
  void pause();
  void stop();

  Server& server_;
  CounterSlot& slot_;
  Door door_;
  std::unique_ptr<event_base, FreeBase> base_;
  Fetches fetches_;
  event arrivals_{};
  event pause_{};
  event signals_{};
  std::list<Session> sessions_;
  bool stopping_ = false;
  std::array<char, kReadBytes> buffer_;
};

}  // namespace baselines
