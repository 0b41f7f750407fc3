#include "harness/stload/connection.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "harness/stload/error.h"
#include "harness/stload/limits.h"

namespace stload {
namespace {

// One for all state threads of the process: nothing switches between the end of a read and the use
// of what it brought. Large enough that a read brings all that a loopback socket holds.
std::array<char, 64 * 1024> buffer;

// A slow transfer goes on ten times a second.
constexpr std::uint64_t kPiecesPerSecond = 10;

// The smallest that Linux grants, so that what a slow reader has not read waits in the server.
constexpr int kSlowReceiveBuffer = 2304;

// How long the end of a connection may be waited for, in microseconds, when the answer is there.
constexpr st_utime_t kCloseWait = 1'000'000;

std::size_t piece(std::uint64_t bytes_per_s, std::size_t most) {
  if (bytes_per_s == 0) return most;
  return std::clamp<std::size_t>(bytes_per_s / kPiecesPerSecond, 1, most);
}

st_utime_t as_timeout(Duration time) {
  return static_cast<st_utime_t>(std::chrono::ceil<std::chrono::microseconds>(time).count());
}

}  // namespace

Failure Connection::open() {
  const Time begin = Clock::now();
  const int fd = socket(address_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (stamps_ != nullptr) Stamps::ask_for(fd);
    if (speed_.read_bytes_per_s > 0) {  // before the window is announced
      setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kSlowReceiveBuffer, sizeof(kSlowReceiveBuffer));
    }
    socket_ = st_netfd_open_socket(fd);
    if (socket_ == nullptr) ::close(fd);
  }
  if (socket_ == nullptr || st_connect(socket_, address_.data(), static_cast<int>(address_.size),
                                       as_timeout(options_.timeout)) != 0) {
    const int error = errno;
    close();
    if (error == EINTR) return Failure::unfinished;
    return say(Failure::connect, explain_connect(error, address_));
  }
  ++tally_.connections;
  tally_.connect.add(Clock::now() - begin);
  return Failure::none;
}

void Connection::close() {
  if (socket_ != nullptr) st_netfd_close(socket_);
  socket_ = nullptr;
}

Exchange Connection::ask(Target& target, Time begin) {
  BodyCheck check;
  if (options_.check) check.compare_with(target.expected_body);
  Exchange result = transfer(target, begin, options_.check ? &check : nullptr);
  if (result.failure == Failure::none && options_.check &&
      (result.status != target.expected_status || !check.right())) {
    result.failure = say(Failure::wrong_body, "GET " + target.path +
                                                  ": not the expected answer (its status is " +
                                                  std::to_string(result.status) + ")");
  }
  return result;
}

Exchange Connection::learn(Target& target) {
  BodyCheck check;
  check.learn(target.expected_body);
  const Exchange result = transfer(target, Clock::now(), &check);
  target.expected_status = result.status;
  return result;
}

Exchange Connection::transfer(Target& target, Time begin, BodyCheck* check) {
  Exchange result;
  reader_.begin(target.known, check);
  if (!is_open()) result.failure = open();
  if (result.failure == Failure::none) result.failure = write(target.request);
  if (result.failure == Failure::none) result.failure = read_answer(begin, result.bytes_read);
  result.end = Clock::now();
  if (result.failure != Failure::none) {
    close();
    return result;
  }
  result.status = reader_.head().status;
  if (stamp_) result.arrival = stamps_->arrival(*stamp_, begin, result.end);
  if (close_after_answer_ || !reader_.head().keep_alive) {
    // Whoever closes first keeps the port for a minute: let that be the server, as it said.
    if (!reader_.head().keep_alive) st_read(socket_, buffer.data(), buffer.size(), kCloseWait);
    close();
  }
  return result;
}

bool Connection::wait_for_close() {
  // Nothing was asked, so whatever can be read is the end.
  const bool readable = st_netfd_poll(socket_, POLLIN, ST_UTIME_NO_TIMEOUT) == 0;
  close();
  return readable;
}

Failure Connection::write(const std::string& request) {
  const Time begin = Clock::now();
  const std::size_t most = piece(speed_.write_bytes_per_s, request.size());
  for (std::size_t done = 0; done < request.size();) {
    const std::size_t now = std::min(most, request.size() - done);
    if (st_write(socket_, request.data() + done, now, as_timeout(options_.timeout)) < 0) {
      return from_errno("writing to ", Failure::write);
    }
    done += now;
    tally_.bytes_written += now;
    if (done == request.size()) break;
    if (const Failure ended = pause(done, speed_.write_bytes_per_s, begin);
        ended != Failure::none) {
      return ended;
    }
  }
  return Failure::none;
}

Failure Connection::read_answer(Time begin, std::uint64_t& bytes_read) {
  const std::size_t most = piece(speed_.read_bytes_per_s, buffer.size());
  Duration patience = options_.timeout;
  for (;;) {
    const ssize_t got = read_some(most, patience);
    if (got < 0) return from_errno("reading from ", Failure::read);
    if (got == 0) return at_end();
    bytes_read += static_cast<std::uint64_t>(got);
    tally_.bytes_read += static_cast<std::uint64_t>(got);
    switch (reader_.feed({buffer.data(), static_cast<std::size_t>(got)})) {
      case AnswerReader::State::done:
        return Failure::none;
      case AnswerReader::State::malformed:
        return say(Failure::malformed, "reading from " + address_.text() +
                                           ": not an HTTP answer, or more bytes than it has");
      case AnswerReader::State::more:
        break;
    }
    if (speed_.limited()) {
      // It is slow by its own wish: only a wait is limited, not the whole.
      const Failure ended = pause(bytes_read, speed_.read_bytes_per_s, begin);
      if (ended != Failure::none) return ended;
    } else {
      patience = begin + options_.timeout - Clock::now();
      if (patience.count() <= 0) {
        errno = ETIME;
        return from_errno("reading from ", Failure::timeout);
      }
    }
  }
}

ssize_t Connection::read_some(std::size_t most, Duration patience) {
  if (stamps_ == nullptr) return st_read(socket_, buffer.data(), most, as_timeout(patience));
  return Stamps::read(socket_, {buffer.data(), most}, as_timeout(patience), stamp_);
}

Failure Connection::at_end() {
  if (reader_.end() == AnswerReader::State::done) return Failure::none;
  return say(Failure::closed,
             "reading from " + address_.text() +
                 (reader_.begun() ? ": closed in the middle of an answer" : ": closed unanswered"));
}

Failure Connection::pause(std::uint64_t done, std::uint64_t bytes_per_s, Time begin) {
  if (bytes_per_s == 0) return Failure::none;
  const Time due =
      begin + from_seconds(static_cast<double>(done) / static_cast<double>(bytes_per_s));
  const Duration left = due - Clock::now();
  if (left.count() > 0 && st_usleep(as_timeout(left)) != 0) return Failure::unfinished;
  return Failure::none;
}

Failure Connection::say(Failure failure, const std::string& text) {
  tally_.say(failure, text);
  return failure;
}

Failure Connection::from_errno(const char* doing, Failure otherwise) {
  const int error = errno;
  if (error == EINTR) return Failure::unfinished;
  const std::string what = doing + address_.text();
  if (error == ETIME) return say(Failure::timeout, what + ": no whole answer within --timeout");
  return say(otherwise, with_errno(what, error));
}

}  // namespace stload
