// The waiting that a request may ask for, written as if nobody else existed: reads from a disk, and
// a conversation with another server from connecting to the last byte of its answer.
//
// mp, mt and st share these lines. What a call does while it waits is the business of the socket
// and of the stream to the origin; a state machine that does the same is in edsm/.
#pragma once

#include <new>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "baselines/common/job.h"
#include "baselines/common/transfer.h"

namespace baselines {

// Connections to the origin that have nothing to do, for one kernel thread: no lock is needed. The
// one used last is used next, so that those which are not needed grow old and are closed by the
// origin. `Stream` is a connection that closes itself when it is destroyed.
template <class Stream>
class UpstreamPool {
 public:
  // Of the kernel thread that runs now, which may be another one after every call that waits: a
  // runtime may move user-level threads about. So it is asked for anew, and by a call that the
  // compiler cannot merge with the one before.
  [[gnu::noinline]] static UpstreamPool& mine() {
    static thread_local UpstreamPool pool;
    asm volatile("");
    return pool;
  }

  bool empty() const { return idle_.empty(); }

  Stream take() {
    Stream stream = std::move(idle_.back());
    idle_.pop_back();
    return stream;
  }

  void give(Stream stream) {
    if (idle_.size() < kMaxIdle) idle_.push_back(std::move(stream));
  }

 private:
  // Each holds a descriptor here and something more at the origin.
  static constexpr std::size_t kMaxIdle = 256;
  std::vector<Stream> idle_;
};

// Sends the request and takes the answer; `done` when that is complete.
template <class Socket, class Stream>
Transfer::End converse(Socket& socket, Stream& stream, FetchJob& fetch,
                       Clock::time_point deadline) {
  using Progress = UpstreamAnswer::Progress;
  for (std::string_view rest = fetch.request; !rest.empty();) {
    const iovec piece{const_cast<char*>(rest.data()), rest.size()};  // only read
    const Transfer moved = stream.write({&piece, 1}, deadline);
    if (moved.end != Transfer::End::done) return moved.end;
    rest.remove_prefix(moved.bytes);
  }
  for (Progress progress = Progress::incomplete; progress == Progress::incomplete;) {
    const std::span<char> buffer = socket.roomy_buffer();
    const Transfer moved = stream.read(buffer, deadline);
    if (moved.end != Transfer::End::done && moved.end != Transfer::End::over) return moved.end;
    socket.step([&] {
      progress = moved.end == Transfer::End::done ? fetch.answer.take(buffer.first(moved.bytes))
                                                  : fetch.answer.end_of_input();
    });
    if (progress == Progress::malformed) return Transfer::End::broken;
  }
  return Transfer::End::done;
}

// Returns 0, or the status that says what went wrong with the origin.
template <class Socket>
int carry_out(FetchJob& fetch, Socket& socket, Clock::time_point deadline) {
  using Stream = typename Socket::Upstream;
  using End = Transfer::End;
  using Pool = UpstreamPool<Stream>;
  for (bool pooled = !Pool::mine().empty();; pooled = false) {
    Stream stream = pooled ? Pool::mine().take() : Stream();
    End end = pooled ? End::done : stream.connect(*fetch.origin, deadline);
    if (end == End::done) end = converse(socket, stream, fetch, deadline);
    if (end == End::done) {
      if (fetch.answer.reusable()) Pool::mine().give(std::move(stream));
      return 0;
    }
    if (end == End::timed_out) return 504;
    // The origin may close an idle connection whenever it likes, so a new one is tried once.
    if (!pooled || fetch.answer.begun()) return 502;
  }
}

template <class Socket>
int carry_out(DiskJob& disk, Socket& socket, Clock::time_point) {
  bool read = false;
  socket.block([&] { read = disk.reads.read_all(disk.block.get()); });
  return read ? 0 : 500;
}

template <class Socket>
void carry_out(Job& job, Socket& socket, Clock::time_point deadline) {
  try {
    job.failure =
        std::visit([&](auto& work) { return carry_out(work, socket, deadline); }, job.work);
  } catch (const std::bad_alloc&) {
    job.failure = 500;
  }
}

}  // namespace baselines
