// A connection to the origin in a readiness loop. What is a line of code in the straight
// conversation (common/straight_jobs.h) is a state here, and every call goes on from there.
#pragma once

#include <span>
#include <string_view>

#include "baselines/common/fd.h"
#include "baselines/common/job.h"

namespace baselines {

class Session;

class Upstream {
 public:
  enum class State {
    sending,    // the request, or what is left of it; also while it is still being connected
    receiving,  // the answer
    idle,       // nobody's: the origin has answered and will take another request
  };
  enum class Progress {
    waiting,   // for the socket
    complete,  // the answer is there
    failed,    // the connection is of no further use
  };

  // `socket` does not block, and is connected or about to be.
  explicit Upstream(Fd socket) : socket_(std::move(socket)) {}

  // Nobody's becomes the client's, until its job has been carried out.
  void begin(Session& client);

  // Goes as far as the socket will take part.
  Progress advance(std::span<char> buffer);

  // The answer is complete and the connection can be used again.
  void release();

  int fd() const { return socket_.get(); }
  State state() const { return state_; }
  Session* client() const { return client_; }  // null: idle
  // Failed before a word was said, on a connection that the origin may just have closed.
  bool was_stale() const { return uses_ > 1 && !fetch_->answer.begun(); }

 private:
  Progress send_rest();
  Progress receive(std::span<char> buffer);

  Fd socket_;
  State state_ = State::idle;
  int uses_ = 0;
  Session* client_ = nullptr;
  FetchJob* fetch_ = nullptr;  // the client's
  std::string_view unsent_;    // of its request
};

}  // namespace baselines
