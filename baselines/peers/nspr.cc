// NSPR: every connection has an NSPR thread while it is served.
//
// NSPR once had user-level ("local") threads. Its Unix builds of today, Debian's among them, make a
// kernel thread of every PRThread, local or not, and PR_Recv() is recv(), poll(), recv().
#include <nspr.h>
#include <private/pprio.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>

#include "baselines/common/acceptor.h"
#include "baselines/common/children.h"
#include "baselines/common/listener.h"
#include "baselines/common/plain_socket.h"

namespace baselines {
namespace {

// A connection that closes itself.
class NsprStream {
 public:
  NsprStream() = default;
  explicit NsprStream(Fd fd) { wrap(std::move(fd)); }

  Transfer::End connect(const Origin& origin, Clock::time_point deadline) {
    if (!wrap(origin.open_socket(0))) return Transfer::End::broken;
    PRNetAddr address;  // laid out as the system's
    std::memcpy(&address, origin.address(),
                std::min<std::size_t>(sizeof(address), origin.address_size()));
    if (PR_Connect(socket_.get(), &address, until(deadline)) == PR_SUCCESS) {
      return Transfer::End::done;
    }
    origin.cannot_connect(PR_GetOSError());
    return failure().end;
  }

  Transfer read(std::span<char> buffer, Clock::time_point deadline) {
    if (socket_ == nullptr) return {Transfer::End::broken};  // there was no memory
    const PRInt32 bytes = PR_Recv(socket_.get(), buffer.data(), static_cast<PRInt32>(buffer.size()),
                                  0, until(deadline));
    if (bytes > 0) return {Transfer::End::done, static_cast<std::size_t>(bytes)};
    if (bytes == 0) return {Transfer::End::over};
    return failure();
  }

  // PR_Writev() returns when all has gone, and its timeout is for all of it. So that a slow client
  // is not one that takes nothing, it gets no more at once than it may take a full timeout for.
  Transfer write(std::span<const iovec> pieces, Clock::time_point deadline) {
    std::array<PRIOVec, Connection::kMaxPieces> some;
    std::size_t count = 0;
    std::size_t room = kMostAtOnce;
    for (; count < pieces.size() && room > 0; ++count) {
      const std::size_t length = std::min(pieces[count].iov_len, room);
      some[count] = {static_cast<char*>(pieces[count].iov_base), static_cast<int>(length)};
      room -= length;
    }
    const PRInt32 bytes =
        count == 1
            ? PR_Send(socket_.get(), some[0].iov_base, some[0].iov_len, 0, until(deadline))
            : PR_Writev(socket_.get(), some.data(), static_cast<PRInt32>(count), until(deadline));
    if (bytes >= 0) return {Transfer::End::done, static_cast<std::size_t>(bytes)};
    return {Transfer::End::broken};  // how much went before is not known, so nothing can follow
  }

  void shut_down() { PR_Shutdown(socket_.get(), PR_SHUTDOWN_SEND); }

 private:
  static constexpr std::size_t kMostAtOnce = std::size_t{64} * 1024;
  static_assert(Connection::kMaxPieces <= PR_MAX_IOVECTOR_SIZE);

  struct Close {
    void operator()(PRFileDesc* socket) const noexcept { PR_Close(socket); }
  };

  bool wrap(Fd fd) {
    if (fd) socket_.reset(PR_ImportTCPSocket(fd.get()));
    if (socket_ != nullptr) fd.release();  // the wrapper's now
    return socket_ != nullptr;
  }

  static Transfer failure() {
    return {PR_GetError() == PR_IO_TIMEOUT_ERROR ? Transfer::End::timed_out
                                                 : Transfer::End::broken};
  }

  // NSPR takes what is left; a tick of the coarse clock at least.
  static PRIntervalTime until(Clock::time_point deadline) {
    const auto left =
        std::max<Clock::duration>(deadline - Clock::now(), std::chrono::milliseconds(4));
    return PR_MillisecondsToInterval(
        static_cast<PRUint32>(std::chrono::ceil<std::chrono::milliseconds>(left).count()));
  }

  std::unique_ptr<PRFileDesc, Close> socket_;
};

// The threads that serve now. One mutex guards the list and the counter slots; a connection takes
// it when it begins and when it ends, never for a request.
class Threads : public Vehicles {
 public:
  Threads(Server& server, Acceptor& acceptor) : server_(server), acceptor_(acceptor) {}

  std::size_t size() const override {
    const std::scoped_lock lock(mutex_);
    return serving_.size();
  }

  void start(Fd client) override {
    Serving* serving = enlist(client);
    if (serving == nullptr) return acceptor_.refuse(std::move(client), kNoSlot);
    if (PR_CreateThread(PR_USER_THREAD, run, serving, PR_PRIORITY_NORMAL, PR_LOCAL_THREAD,
                        PR_UNJOINABLE_THREAD, kServeStackBytes) != nullptr) {
      client.release();  // the thread's now
      return;
    }
    const int error = PR_GetOSError();
    leave(*serving);
    acceptor_.refuse(std::move(client), limit_of_tasks("thread", error));
  }

  // Lets every thread answer what it has been asked, as if its client had shut down the sending
  // side; whoever is not done within kDrainLimit is cut off. Returns when all have left.
  void finish() {
    std::unique_lock lock(mutex_);
    shut_down_all(SHUT_RD);
    const auto none = [this] { return serving_.empty(); };
    if (all_gone_.wait_for(lock, kDrainLimit, none)) return;
    shut_down_all(SHUT_RDWR);
    all_gone_.wait(lock, none);
  }

 private:
  struct Serving {
    Threads* all;
    int socket;
    CounterSlot* slot;
    std::list<Serving>::iterator self;
  };

  static void run(void* argument) {
    Serving& serving = *static_cast<Serving*>(argument);
    Threads& all = *serving.all;
    {
      PlainSocket<NsprStream> socket{Fd(serving.socket)};
      serve_connection(socket, all.server_.site, *serving.slot);
    }
    // Last, because when all have left the process ends. finish() may still shut the number down:
    // by then nobody accepts, so it names no other socket.
    all.leave(serving);
  }

  Serving* enlist(const Fd& client) {
    const std::scoped_lock lock(mutex_);
    CounterSlot* slot = server_.counters.take();
    if (slot == nullptr) return nullptr;
    serving_.push_back({this, client.get(), slot, {}});
    serving_.back().self = std::prev(serving_.end());
    return &serving_.back();
  }

  void shut_down_all(int how) const {
    for (const Serving& serving : serving_) shutdown(serving.socket, how);
  }

  void leave(Serving& serving) {
    const std::scoped_lock lock(mutex_);
    server_.counters.give_back(*serving.slot);
    serving_.erase(serving.self);
    if (serving_.empty()) all_gone_.notify_one();
  }

  Server& server_;
  Acceptor& acceptor_;
  mutable std::mutex mutex_;
  std::condition_variable all_gone_;
  std::list<Serving> serving_;
};

void serve_thread(Server& server) {
  const std::vector<Fd> listeners = open_listeners(server.options, 1);
  make_nonblocking(listeners.front());  // accepted in batches, until nobody waits
  // The acceptor counts in the first slot, which is always there: nobody else has asked yet.
  Acceptor acceptor(server, listeners.front(), *server.counters.take());
  Threads threads(server, acceptor);
  server.announce(listeners.front());
  acceptor.run(threads);
  stop_listening(listeners);
  threads.finish();
}

}  // namespace
}  // namespace baselines

int main(int argc, char** argv) {
  using namespace baselines;
  static constexpr std::array models = {
      Model{"thread", "a new NSPR thread, which is a kernel thread, for each connection",
            serve_thread},
  };
  return run_program(
      argc, argv,
      {"HTTP server on NSPR: every connection has an NSPR thread while it is served.", models});
}
