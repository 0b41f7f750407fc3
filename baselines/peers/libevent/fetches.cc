#include "baselines/peers/libevent/fetches.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event_struct.h>
#include <sys/socket.h>

#include <algorithm>
#include <new>
#include <span>
#include <variant>

#include "baselines/common/timeval.h"
#include "baselines/peers/libevent/add_event.h"

namespace baselines {

// One conversation with the origin. It deletes itself in finish().
class Fetches::Fetch {
 public:
  Fetch(Fetches& all, Job& job, void (*ended)(void*), void* client)
      : all_(all), job_(job), ended_(ended), client_(client) {}
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;

  // False if it could not, and is no more.
  bool begin(Clock::time_point deadline) {
    evtimer_assign(&timer_, all_.base_, timed_out, this);
    const timeval left = to_timeval(
        std::max<Clock::duration>(deadline - Clock::now(), std::chrono::milliseconds(4)));
    if (!add_event(timer_, &left)) {
      delete this;
      return false;
    }
    pooled_ = !all_.idle_.empty();
    if (pooled_) {
      connection_ = all_.idle_.back();
      all_.idle_.pop_back();
      if (!send()) fail_soon();
    } else {
      connect();
    }
    return true;
  }

 private:
  using Progress = UpstreamAnswer::Progress;

  ~Fetch() { event_del(&timer_); }

  FetchJob& fetch() { return std::get<FetchJob>(job_.work); }

  void connect() {
    const Origin& origin = *fetch().origin;
    Fd socket = origin.open_socket(SOCK_NONBLOCK);
    if (socket) {
      connection_ = bufferevent_socket_new(all_.base_, socket.get(),
                                           BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    }
    if (connection_ == nullptr) return fail_soon();
    socket.release();  // the bufferevent's now
    if (!send()) return fail_soon();
    auto* address = const_cast<sockaddr*>(origin.address());  // it only reads it
    if (bufferevent_socket_connect(connection_, address, static_cast<int>(origin.address_size()))) {
      origin.cannot_connect(EVUTIL_SOCKET_ERROR());  // and changed() hears of an error
    }
  }

  // At once, or as soon as it is connected. False without memory.
  bool send() {
    bufferevent_setcb(connection_, received, nullptr, changed, this);
    return bufferevent_enable(connection_, EV_READ | EV_WRITE) == 0 &&
           bufferevent_write(connection_, fetch().request.data(), fetch().request.size()) == 0;
  }

  // No descriptor or no memory. The timer, made to pass at once, says so: begin() must not. It has
  // been added already, and moving it takes no memory.
  void fail_soon() {
    drop();
    failure_ = 502;
    const timeval now{};
    event_add(&timer_, &now);
  }

  static void received(bufferevent*, void* fetch) {
    auto& self = *static_cast<Fetch*>(fetch);
    evbuffer* input = bufferevent_get_input(self.connection_);
    const std::size_t size = evbuffer_get_length(input);
    const auto* bytes = reinterpret_cast<const char*>(evbuffer_pullup(input, -1));
    Progress progress = Progress::malformed;
    try {
      if (bytes == nullptr && size > 0) throw std::bad_alloc();
      progress = self.fetch().answer.take({bytes, size});
    } catch (const std::bad_alloc&) {
      return self.finish(500);
    }
    evbuffer_drain(input, size);
    self.follow(progress);
  }

  static void changed(bufferevent*, short what, void* fetch) {
    auto& self = *static_cast<Fetch*>(fetch);
    if ((what & BEV_EVENT_CONNECTED) != 0) return;
    if ((what & BEV_EVENT_EOF) != 0) {
      const Progress progress = self.fetch().answer.end_of_input();
      if (progress == Progress::complete) return self.finish(0);
    }
    // The origin may close an idle connection whenever it likes, so a new one is tried once.
    if (!self.pooled_ || self.fetch().answer.begun()) return self.finish(502);
    self.pooled_ = false;
    self.drop();
    self.connect();
  }

  static void timed_out(evutil_socket_t, short, void* fetch) {
    auto& self = *static_cast<Fetch*>(fetch);
    self.finish(self.failure_);
  }

  void follow(Progress progress) {
    if (progress == Progress::complete) return finish(0);
    if (progress == Progress::malformed) return finish(502);
  }

  void drop() {
    if (connection_ != nullptr) bufferevent_free(connection_);
    connection_ = nullptr;
  }

  void finish(int failure) {
    job_.failure = failure;
    if (failure == 0 && fetch().answer.reusable() && all_.idle_.size() < kMaxIdle) {
      all_.keep(connection_);
    } else {
      drop();
    }
    const auto ended = ended_;
    void* const client = client_;
    delete this;
    ended(client);
  }

  Fetches& all_;
  Job& job_;
  void (*ended_)(void*);
  void* client_;
  bufferevent* connection_ = nullptr;
  event timer_{};
  bool pooled_ = false;
  int failure_ = 504;  // when the timer passes
};

Fetches::~Fetches() {
  for (bufferevent* connection : idle_) bufferevent_free(connection);
}

bool Fetches::begin(Job& job, Clock::time_point deadline, void (*ended)(void*), void* client) {
  auto* fetch = new (std::nothrow) Fetch(*this, job, ended, client);
  if (fetch != nullptr && fetch->begin(deadline)) return true;
  job.failure = 500;
  return false;
}

void Fetches::keep(bufferevent* connection) {
  bufferevent_setcb(connection, idle_no_more, nullptr, idle_ended, this);
  idle_.push_back(connection);
}

// Says something without having been asked.
void Fetches::idle_no_more(bufferevent* connection, void* fetches) {
  std::erase(static_cast<Fetches*>(fetches)->idle_, connection);
  bufferevent_free(connection);
}

void Fetches::idle_ended(bufferevent* connection, short, void* fetches) {
  idle_no_more(connection, fetches);
}

}  // namespace baselines
