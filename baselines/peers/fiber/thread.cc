// Fibers on one kernel thread: Boost.Fiber's round robin over one epoll instance, in each of
// --cpus identical processes.
#include <array>
#include <boost/fiber/algo/round_robin.hpp>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/fixedsize_stack.hpp>
#include <boost/fiber/operations.hpp>
#include <cerrno>
#include <exception>
#include <memory>
#include <stdexcept>

#include "baselines/peers/fiber/models.h"
#include "baselines/peers/fiber/reactor.h"
#include "baselines/peers/fiber/socket.h"
#include "baselines/peers/user_threads.h"

namespace baselines {
namespace {

using ThreadReactor = Reactor<boost::fibers::algo::round_robin, NoMutex>;

// All fibers of a process are in one place, with one reactor. It reports whole batches before a
// fiber runs, so a readiness may go with its fiber.
struct ThePlace {
  using Readiness = ThreadReactor::ReadinessOf;
  using Handle = std::unique_ptr<Readiness>;
  static Handle make() { return std::make_unique<Readiness>(); }
  static bool watch(int fd, Readiness& readiness) { return reactor->watch(fd, readiness); }

  inline static ThreadReactor* reactor = nullptr;
};

class FiberThread {
 public:
  FiberThread(Server& server, const Fd& listener) : signals_(server.signals) {
    boost::fibers::use_scheduling_algorithm<ThreadReactor>(ThePlace::reactor);
    if (!ThePlace::watch(server.signals.fd(), arrivals_) ||
        !ThePlace::watch(listener.get(), arrivals_)) {
      throw std::runtime_error("epoll for the listening socket: " + describe_errno(errno) +
                               "; raise 'ulimit -n'");
    }
  }

  bool wait(Door::Kind why) {
    if (why == Door::Kind::again) {
      boost::this_fiber::yield();
      return false;
    }
    arrivals_.wait(arrivals_.input,
                   why == Door::Kind::pause ? Clock::now() + Door::kPause : arrivals_.kNever);
    arrivals_.forget(arrivals_.input);
    return signals_.take().stop;
  }

  int start(void* (*function)(void*), void* argument) {
    try {
      boost::fibers::fiber(boost::fibers::launch::post, std::allocator_arg,
                           boost::fibers::fixedsize_stack(kServeStackBytes),
                           [function, argument] { function(argument); })
          .detach();
      return 0;
    } catch (const std::exception&) {
      return ENOMEM;  // nothing else is missing for a fiber
    }
  }

  using Stream = FiberStream<ThePlace>;
  class Gate;

 private:
  Signals& signals_;
  ThePlace::Readiness arrivals_;  // of clients and of signals
};

class FiberThread::Gate {
 public:
  void open() { open_.notify_one(); }
  void wait() {
    std::unique_lock lock(nothing_);
    open_.wait(lock);
  }

 private:
  NoMutex nothing_;
  boost::fibers::condition_variable_any open_;
};

}  // namespace

void serve_fiber_thread(Server& server) { serve_user_threads<FiberThread>(server); }

}  // namespace baselines
