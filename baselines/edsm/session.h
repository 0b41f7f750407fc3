// A connection in a readiness loop: the handler's object, its socket, and what is known of both.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "baselines/common/fd.h"
#include "baselines/common/http.h"
#include "baselines/edsm/timer_wheel.h"

namespace baselines {

// What an event mechanism says of a socket.
struct Ready {
  bool readable;  // or at its end, or broken
  bool writable;  // or broken
  bool hung_up;  // told once and no more: the end of the input lies behind what is still to be read
};

class Session : public Timer {
 public:
  Session(Fd socket, const Site& site, CounterSlot& slot, Clock::time_point now)
      : socket_(std::move(socket)), connection_(site, slot, now) {}

  void became(Ready ready) {
    readable_ = readable_ || ready.readable;
    writable_ = writable_ || ready.writable;
    hung_up_ = hung_up_ || ready.hung_up;
  }

  // Reads, answers and writes until the socket will take part no longer, or until this session has
  // had its turn. Afterwards: `input` waits to become readable, `output` to become writable, `job`
  // for the job, `close` is to be destroyed. When it has had_its_turn(), it has more to read, and
  // no event will come: call again.
  Want advance(std::span<char> buffer, Clock::time_point now);
  bool had_its_turn() const { return readable_; }  // where `input` is wanted

  Want want() const { return connection_.want(); }

  // While `job` is wanted. The job is somebody's to carry out, and until then it and this session
  // stay where they are.
  Job& job() const { return connection_.job(); }
  bool take_job() {  // false: somebody has done so
    return std::exchange(job_state_, JobState::taken) == JobState::none;
  }
  void job_carried_out() { job_state_ = JobState::carried_out; }

  Want timed_out(std::span<char> buffer, Clock::time_point now);

  // The server ends: nothing more is read than what has come.
  void stop_receiving();

  Clock::time_point deadline() const { return connection_.deadline(); }
  int fd() const { return socket_.get(); }

  bool in_queue : 1 = false;  // the loop's: waits for a turn already

 private:
  enum class JobState : std::uint8_t { none, taken, carried_out };

  Want read_once(std::span<char> buffer, Clock::time_point now);
  Want write_once(Clock::time_point now);

  bool readable_ : 1 = false;
  bool writable_ : 1 = true;  // a new socket's buffer is empty
  bool hung_up_ : 1 = false;
  JobState job_state_ = JobState::none;
  Fd socket_;
  Connection connection_;
};

}  // namespace baselines
