// One process, a kernel thread for each CPU, a scheduler in each: the threads share the address
// space and the descriptor table, and nothing else; a connection stays where it was accepted.
#include <poll.h>
#include <st.h>
#include <unistd.h>

#include <atomic>
#include <exception>
#include <stdexcept>
#include <thread>

#include "baselines/common/listener.h"
#include "baselines/common/log.h"
#include "baselines/common/supervisor.h"
#include "baselines/st/models.h"
#include "baselines/st/scheduler.h"

namespace baselines {
namespace {

// How the thread that hears the signal tells a scheduler in another. Rung by foreign threads, so
// the pointer to the bell, which belongs to its scheduler, is handed over once it is there.
class StopBell {
 public:
  // In the scheduler.
  void wait() {
    bell_ = st_bell_new();
    if (bell_ == nullptr) throw std::runtime_error("cannot make a bell: " + describe_errno(errno));
    there_.store(true, std::memory_order_release);
    there_.notify_one();
    while (!rung_) st_bell_wait(bell_, ST_UTIME_NO_TIMEOUT);
  }

  // Elsewhere, once.
  void ring() {
    there_.wait(false, std::memory_order_acquire);
    rung_.store(true);
    st_bell_ring(bell_);
    let_go_.store(true);
    let_go_.notify_one();
  }

  // In the scheduler's kernel thread, as its last act: the bell goes with it, and a scheduler also
  // ends because nobody listens any more, which it may see before the bell has been rung.
  void wait_until_rung() { let_go_.wait(false); }

 private:
  st_bell_t bell_ = nullptr;
  std::atomic<bool> there_{false};
  std::atomic<bool> rung_{false};
  std::atomic<bool> let_go_{false};  // the bell is touched no more
};

void serve_threads(Server& server, const std::vector<Fd>& listeners, CounterSlot& slot) {
  const std::size_t count = listeners.size();
  std::vector<StopBell> bells(count);
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    CounterSlot* own = i == 0 ? &slot : server.counters.take();
    if (own == nullptr) throw std::runtime_error(kNoSlot);
    threads.emplace_back([&server, &listeners, &bells, own, i] {
      try {
        serve_as_scheduler(server, listeners[i], *own, [&bells, i] { bells[i].wait(); });
        bells[i].wait_until_rung();
      } catch (const std::exception& error) {
        log_line("%s", error.what());
        _exit(1);  // as one: the parent starts us again
      }
    });
  }
  pollfd readable{server.signals.fd(), POLLIN, 0};
  while (!server.signals.take().stop) poll(&readable, 1, -1);
  for (StopBell& bell : bells) bell.ring();
}

}  // namespace

void serve_hybrid(Server& server) {
  const std::vector<Fd> listeners = open_listeners(server.options, server.options.processes());
  for (const Fd& listener : listeners) make_nonblocking(listener);
  // One worker, so that a crash is survived as in the other models.
  Supervisor supervisor(server.signals, server.counters, 1, [&](int, CounterSlot& slot) {
    server.signals.renew();
    server.counters.inherit(slot);
    serve_threads(server, listeners, slot);
  });
  server.announce(listeners.front());
  supervisor.run([&] { stop_listening(listeners); });
}

}  // namespace baselines
