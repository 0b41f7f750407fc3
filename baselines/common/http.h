// The one HTTP handler that every architecture serves.
//
// A Connection is a pure step: bytes in, bytes out, what is wanted next. It never reads, writes,
// waits or asks who calls it, so the same object code runs under a process, a thread, an event loop
// or a state thread, and the difference between two servers is their architecture alone.
//
//   straight loop                                  readiness loop
//   Want want = Want::input;                       on readable: want = advance(bytes, now)
//   while (want != Want::close)                    on end:      want = end_of_input(now)
//     input:    read, then advance()               on writable: want = sent(written, now)
//     output:   write output(), then sent()        on timer:    want = timed_out(now)
//     job:      carry out job(), then done()       at once:     begin job(); when it ends:
//                                                               want = done(now)
//     shut_down: shutdown(), then has_shut_down()  at once:     want = has_shut_down(now)
//
// Memory: an idle connection owns no buffer. Unparsed input and unsent output live in blocks that
// are borrowed from the calling kernel thread's pool and given back as soon as they are empty.
// Nothing of the thread's is in use between two calls, so state threads may interleave freely and
// a connection may be driven by one kernel thread after another (see handed_to()).
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "baselines/common/body_reader.h"
#include "baselines/common/buffer_pool.h"
#include "baselines/common/clock.h"
#include "baselines/common/counters.h"
#include "baselines/common/head_scanner.h"

namespace baselines {

class Output;        // answers that wait to be sent (output.h)
class Site;          // what is served and within which limits; made once before serving (site.h)
struct Answer;       // what an endpoint says (answer.h)
struct Job;          // what a request has to wait for (job.h)
struct InputBlock;   // bytes that came and are not used up (http.cc)
struct RequestHead;  // one parsed head (request.h)
struct Route;        // which endpoint answers (endpoints.h)

// What the connection needs next from whoever drives it.
enum class Want : std::uint8_t {
  input,   // read from the client and call advance() with what came, or end_of_input()
  output,  // write output() and call sent(); when all is sent, it says what is wanted next
  job,     // carry out job() and call done(); there is no hurry to read meanwhile
  // End the sending side of the socket and call has_shut_down(). A request has been refused before
  // its end: closing now would reset the connection, and the reset may overtake the answer.
  shut_down,
  close,  // nothing more will be said: close the socket
};

// Where memory cannot be had, a call ends the connection: nothing throws.
class Connection {
 public:
  // `site` and `slot` must outlive the connection. Counts one accepted connection; wants input.
  Connection(const Site& site, CounterSlot& slot, Clock::time_point now);
  ~Connection();  // counts the connection as closed
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Takes the bytes just read (all of them: what cannot be used yet is kept) and answers as many
  // whole requests as the output has room for. Meant to be called when input is wanted; bytes that
  // come while output is wanted are kept in order, so the caller decides how much memory that is.
  Want advance(std::span<const char> in, Clock::time_point now);

  // The client has shut down its sending side (read returned 0). What was asked is still answered.
  Want end_of_input(Clock::time_point now);

  // The deadline has passed: 408 in the middle of a request, else a quiet close. A call that comes
  // before deadline(), or while a job is wanted, changes nothing, so a coarse timer may simply ask.
  Want timed_out(Clock::time_point now);

  // What is to be written, in order; valid until the next call that is not const. At most
  // kMaxPieces, and never empty while output is wanted. The bytes themselves stay where they are
  // until they are sent() or timed_out(), so the kernel may be sending them while more comes in.
  std::span<const iovec> output() const;

  // `bytes` of output() have been handed to the kernel. Goes on with the input that was kept, so
  // there may be new output afterwards. Call it until it no longer says `output`.
  Want sent(std::size_t bytes, Clock::time_point now);

  // What is to be done while a job is wanted; it stays where it is until done(), and whoever drives
  // the connection may change it. deadline() is the time by which it should be done: what takes
  // longer shall be given up, with a failure noted in the job.
  Job& job() const { return *job_; }

  // The job has been carried out, or has failed: its answer is the next output.
  Want done(Clock::time_point now);

  // What follows `shut_down`: input is wanted, and thrown away, for a short time and up to a limit,
  // or until the client has closed its side.
  Want has_shut_down(Clock::time_point now);

  // What the last call said.
  Want want() const;

  // When the present wait for the client becomes too long. A client earns a new deadline by a whole
  // request or by taking output; a byte now and then does not move it.
  Clock::time_point deadline() const { return deadline_; }

  // From now on another kernel execution vehicle drives this connection and counts in its own slot.
  void handed_to(CounterSlot& slot) { slot_ = &slot; }

  static constexpr std::size_t kMaxPieces = 16;

 private:
  // What the input is.
  enum class Reading : std::uint8_t {
    head,  // of a request
    body,  // of the request whose head is in head_, whole; the answer waits for its end
    rest,  // of a request that has been refused: counted in body_ and thrown away
  };

  std::size_t feed(std::span<const char> in, Clock::time_point now);
  void feed_kept(Clock::time_point now);
  void keep(std::span<const char> in);
  std::size_t take_head(std::span<const char> in, Clock::time_point now);
  std::size_t take_body(std::span<const char> in, Clock::time_point now);
  void received_head(std::span<const char> head, Clock::time_point now);
  void answer(const RequestHead& request, Clock::time_point now);
  void say(const Answer& answer, const RequestHead& request, Clock::time_point now);
  void start_job(const Route& route, const RequestHead& request, Clock::time_point now);
  void refuse(int status, std::span<const char> head, Clock::time_point now);
  Output& writable_output();
  template <class Work>
  Want settle_after(Work work, Clock::time_point now);
  Want settle(Clock::time_point now);
  bool in_request() const { return head_ != nullptr; }
  bool has_room() const;
  bool closing() const { return next_ >= Want::shut_down; }

  const Site* site_;
  CounterSlot* slot_;
  Clock::time_point deadline_;
  Borrowed<InputBlock> head_;  // the head of the request that is being received, as far as it came
  Borrowed<InputBlock> kept_;  // a chain: input that waits until output has been taken
  Borrowed<Output> output_;    // answers not yet sent
  std::unique_ptr<Job> job_;   // what the next answer waits for, while that is wanted next
  HeadScanner scanner_;        // how far head_ has been looked at
  BodyReader body_;            // where we are in a body or a rest
  Reading reading_ = Reading::head;
  Want next_ = Want::input;   // what is wanted when there is no output
  bool input_ended_ = false;  // the client will not send more
  bool served_ = false;       // has been counted as served
};

// The answer for a connection that is turned away because a limit was reached (503); fixed bytes,
// to be written once before closing. Whoever writes it counts `refused`.
std::string_view refusal();

}  // namespace baselines
