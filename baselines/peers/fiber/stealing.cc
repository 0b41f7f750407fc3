// Fibers on --cpus kernel threads of one process, which steal each other's when they have none of
// their own: the many-to-few model. Each kernel thread accepts on a socket of its own.
#include <pthread.h>
#include <sys/socket.h>

#include <atomic>
#include <boost/fiber/algo/work_stealing.hpp>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/fixedsize_stack.hpp>
#include <boost/fiber/operations.hpp>
#include <cerrno>
#include <deque>
#include <exception>
#include <latch>
#include <list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "baselines/common/children.h"
#include "baselines/common/door.h"
#include "baselines/common/listener.h"
#include "baselines/common/plain_socket.h"
#include "baselines/common/program.h"
#include "baselines/peers/fiber/models.h"
#include "baselines/peers/fiber/reactor.h"
#include "baselines/peers/fiber/socket.h"

namespace baselines {
namespace {

using Algorithm = boost::fibers::algo::work_stealing;
using ThiefReactor = Reactor<Algorithm, std::mutex>;
using SharedReadiness = ThiefReactor::ReadinessOf;

// Every readiness there is. One that is given back is used anew and never freed: another thread's
// reactor may still report an event of its last socket.
class ReadinessPool {
 public:
  struct GiveBack {
    void operator()(SharedReadiness* readiness) const noexcept {
      const std::scoped_lock lock(mutex_);
      free_.push_back(readiness);
    }
  };
  using Handle = std::unique_ptr<SharedReadiness, GiveBack>;

  static Handle take() {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) {
      all_.emplace_back();
      free_.reserve(all_.size());  // so that giving back never needs memory
      return Handle(&all_.back());
    }
    SharedReadiness* readiness = free_.back();
    free_.pop_back();
    readiness->reset();
    return Handle(readiness);
  }

 private:
  inline static std::mutex mutex_;
  inline static std::deque<SharedReadiness> all_;
  inline static std::vector<SharedReadiness*> free_;
};

// Where a fiber runs may change in every call that waits.
struct SomePlace {
  using Readiness = SharedReadiness;
  using Handle = ReadinessPool::Handle;
  static Handle make() { return ReadinessPool::take(); }
  [[gnu::noinline]] static bool watch(int fd, Readiness& readiness) {
    return reactor->watch(fd, readiness);
  }

  inline static thread_local ThiefReactor* reactor = nullptr;
};

using SharedStream = FiberStream<SomePlace>;

// Boost.Fiber has no helpers for what blocks: this kernel thread waits, and others may steal its
// ready fibers. The buffer is the fiber's own, which may move between a read and the use of it.
using SharedSocket = PlainSocket<SharedStream>;

// The reactor of one kernel thread among `all`.
class Thief : public ThiefReactor {
 public:
  Thief(ThiefReactor*& self, const std::vector<ThiefReactor*>& all)
      : ThiefReactor(self, static_cast<std::uint32_t>(all.size())), all_(all) {}

  // Boost.Fiber looks for a victim for ever when there is nobody else.
  boost::fibers::context* pick_next() noexcept override {
    if (all_.size() == 1 && !has_ready_fibers()) return nullptr;
    return Algorithm::pick_next();
  }

 private:
  // A sleeping thread does not look for work by itself.
  void surplus() noexcept override {
    for (ThiefReactor* other : all_) {
      if (other != this && other->asleep()) return other->notify();
    }
  }

  const std::vector<ThiefReactor*>& all_;
};

// All kernel threads and the fibers they serve with. One mutex guards the lists and the counter
// slots; a connection takes it when it begins and when it ends, never for a request.
class Threads {
 public:
  explicit Threads(Server& server)
      : server_(server),
        listeners_(open_listeners(server.options, server.options.processes())),
        reactors_(listeners_.size()),
        arrivals_(listeners_.size()),
        all_there_(static_cast<std::ptrdiff_t>(listeners_.size())) {
    for (const Fd& listener : listeners_) {
      make_nonblocking(listener);
      slots_.push_back(server_.counters.take());
    }
  }

  void run() {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < listeners_.size(); ++i) others.emplace_back([this, i] { run(i); });
    run(0);
  }

 private:
  // Connections accepted in a row before the fibers that serve them run.
  static constexpr int kBatch = 64;

  struct Serving {
    int socket;
    CounterSlot* slot;
    std::list<Serving>::iterator self;
  };

  // What kernel thread number `index` does.
  void run(std::size_t index) {
    boost::fibers::use_scheduling_algorithm<Thief>(reactors_[index], reactors_);
    SomePlace::reactor = reactors_[index];
    all_there_.arrive_and_wait();  // whom to steal from
    SharedReadiness& arrivals = arrivals_[index];
    if (!reactors_[index]->watch(listeners_[index].get(), arrivals) ||
        (index == 0 && !reactors_[index]->watch(server_.signals.fd(), arrivals))) {
      throw std::runtime_error("epoll for the listening socket: " + describe_errno(errno) +
                               "; raise 'ulimit -n'");
    }
    if (index == 0) server_.announce(listeners_.front());
    accept_until_stopped(index);
    if (index == 0) stop();
    std::unique_lock lock(mutex_);
    all_gone_.wait(lock, [this] { return stopped_ && serving_.empty(); });
  }

  void accept_until_stopped(std::size_t index) {
    Door door(listeners_[index], Door::Sockets::nonblocking, server_.options, *slots_[index]);
    SharedReadiness& arrivals = arrivals_[index];
    while (!stopping_) {
      const Door::Kind kind = accept_clients(door);
      if (kind == Door::Kind::again) {
        boost::this_fiber::yield();
      } else {
        arrivals.wait(arrivals.input,
                      kind == Door::Kind::pause ? Clock::now() + Door::kPause : arrivals.kNever);
        arrivals.forget(arrivals.input);
      }
      if (index == 0 && server_.signals.take().stop) return;
    }
  }

  Door::Kind accept_clients(Door& door) {
    for (int i = 0; i < kBatch; ++i) {
      Door::Arrival arrival = door.accept([this] { return size(); });
      if (arrival.kind != Door::Kind::client) return arrival.kind;
      start(door, std::move(arrival.socket));
    }
    return Door::Kind::again;
  }

  std::size_t size() {
    const std::scoped_lock lock(mutex_);
    return serving_.size();
  }

  void start(Door& door, Fd client) {
    Serving* serving = enlist(client);
    if (serving == nullptr) return door.refuse(std::move(client), kNoSlot);
    try {
      boost::fibers::fiber(boost::fibers::launch::post, std::allocator_arg,
                           boost::fibers::fixedsize_stack(kServeStackBytes + kReadBytes),
                           [this, serving] { serve(*serving); })
          .detach();
      client.release();  // the fiber's now
    } catch (const std::exception&) {
      leave(*serving);
      door.refuse(std::move(client), limit_of_tasks("fiber", ENOMEM));
    }
  }

  void serve(Serving& serving) {
    {
      SharedSocket socket{Fd(serving.socket)};
      serve_connection(socket, server_.site, *serving.slot);
    }
    leave(serving);
  }

  Serving* enlist(const Fd& client) {
    const std::scoped_lock lock(mutex_);
    CounterSlot* slot = server_.counters.take();
    if (slot == nullptr) return nullptr;
    serving_.push_back({client.get(), slot, {}});
    serving_.back().self = std::prev(serving_.end());
    if (stopped_) shutdown(client.get(), SHUT_RD);  // accepted in the last moment
    return &serving_.back();
  }

  void leave(Serving& serving) {
    const std::scoped_lock lock(mutex_);
    server_.counters.give_back(*serving.slot);
    serving_.erase(serving.self);
    if (serving_.empty()) all_gone_.notify_all();
  }

  // Ends accepting everywhere and lets every fiber answer what it has been asked, as if its client
  // had shut down the sending side; whoever is not done within kDrainLimit is cut off.
  void stop() {
    stopping_ = true;
    stop_listening(listeners_);
    for (SharedReadiness& arrivals : arrivals_) arrivals.report(true, false, false);
    std::unique_lock lock(mutex_);
    stopped_ = true;
    shut_down_all(SHUT_RD);
    all_gone_.notify_all();
    const auto end = std::chrono::steady_clock::now() + kDrainLimit;
    if (all_gone_.wait_until(lock, end, [this] { return serving_.empty(); })) return;
    shut_down_all(SHUT_RDWR);
  }

  void shut_down_all(int how) const {
    for (const Serving& serving : serving_) shutdown(serving.socket, how);
  }

  Server& server_;
  std::vector<Fd> listeners_;  // these four: one for each kernel thread
  std::vector<ThiefReactor*> reactors_;
  std::vector<SharedReadiness> arrivals_;
  std::vector<CounterSlot*> slots_;
  std::latch all_there_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  boost::fibers::condition_variable_any all_gone_;
  std::list<Serving> serving_;
  bool stopped_ = false;  // nobody new comes into serving_
};

}  // namespace

void serve_fiber_stealing(Server& server) { Threads(server).run(); }

}  // namespace baselines
