// One client's connection: ask, and read the answer.
#pragma once

#include <st.h>

#include "harness/stload/answer.h"
#include "harness/stload/options.h"
#include "harness/stload/stamps.h"
#include "harness/stload/tally.h"

namespace stload {

// What can be asked for; shared by all clients of a process.
struct Target {
  std::string path;
  std::string request;  // as it is sent
  KnownHead known;
  // What --check expects.
  int expected_status = 0;
  std::string expected_body;
};

// How asking once ended.
struct Exchange {
  Failure failure = Failure::none;
  int status = 0;                 // of a whole answer
  Time end{};                     // its last byte was read, or the failure was found
  std::optional<Time> arrival{};  // of its last byte, by the kernel; none without a stamp
  std::uint64_t bytes_read = 0;
};

class Connection {
 public:
  // `close_after_answer`: each request has a connection of its own. `stamps` is null when it does
  // not matter when answers arrive.
  Connection(const Options& options, const Address& address, Speed speed, bool close_after_answer,
             Stamps* stamps, Tally& tally)
      : options_(options),
        address_(address),
        speed_(speed),
        close_after_answer_(close_after_answer),
        stamps_(stamps),
        tally_(tally) {}
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool is_open() const { return socket_ != nullptr; }
  Failure open();
  void close();

  // Sends the request, opening the connection first if need be, and reads the answer; closes after
  // a failure and where the answer or the options say so. `begin` is now. Switches.
  Exchange ask(Target& target, Time begin);

  // Asks, and keeps the answer as what --check expects.
  Exchange learn(Target& target);

  // Waits until the server closes the connection. False if interrupted before.
  bool wait_for_close();

 private:
  Exchange transfer(Target& target, Time begin, BodyCheck* check);

  // At their own speed; slow ones are cut into pieces with pauses between them.
  Failure write(const std::string& request);
  Failure read_answer(Time begin, std::uint64_t& bytes_read);
  ssize_t read_some(std::size_t most, Duration patience);
  Failure at_end();  // the server has closed: right for some answers

  // Until a slow transfer that has moved `done` bytes since `begin` may go on.
  Failure pause(std::uint64_t done, std::uint64_t bytes_per_s, Time begin);

  Failure say(Failure failure, const std::string& text);
  Failure from_errno(const char* doing, Failure otherwise);

  const Options& options_;
  const Address& address_;
  const Speed speed_;
  const bool close_after_answer_;
  Stamps* const stamps_;
  Tally& tally_;
  st_netfd_t socket_ = nullptr;
  std::optional<Duration> stamp_;  // of what was read last
  AnswerReader reader_;
};

}  // namespace stload
