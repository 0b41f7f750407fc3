// A process for each connection: the parent accepts, the child serves and ends.
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <map>

#include "baselines/common/acceptor.h"
#include "baselines/common/children.h"
#include "baselines/common/listener.h"
#include "baselines/common/log.h"
#include "baselines/mp/models.h"
#include "baselines/mp/stoppable.h"

namespace baselines {
namespace {

// The children that serve now, each with the counter slot it has been lent.
class Processes : public Vehicles {
 public:
  Processes(Server& server, Acceptor& acceptor, const Fd& listener)
      : server_(server), acceptor_(acceptor), listener_(listener) {}

  std::size_t size() const override { return slots_.size(); }

  void start(Fd client) override {
    // Taken before there is a process to be entered, which could not be undone for want of memory.
    Slots entry{{0, nullptr}};
    CounterSlot* slot = server_.counters.take();
    if (slot == nullptr) return acceptor_.refuse(std::move(client), kNoSlot);
    const pid_t pid = fork_bound_to_parent();
    if (pid == 0) serve_and_exit(client, *slot);
    if (pid > 0) {
      Slots::node_type node = entry.extract(0);
      node.key() = pid;
      node.mapped() = slot;
      slots_.insert(std::move(node));
      return;
    }
    const int error = errno;
    server_.counters.give_back(*slot);
    acceptor_.refuse(std::move(client), limit_of_tasks("process", error));
  }

  void reap() override {
    for (Ended end = reap_one(); end.pid > 0; end = reap_one()) ended(end);
  }

  void finish() {
    signal_all(SIGTERM);
    reap_all(
        server_.signals, [this] { return size(); }, [this] { signal_all(SIGKILL); },
        [this](Ended end) { ended(end); });
  }

 private:
  using Slots = std::map<pid_t, CounterSlot*>;  // which takes no memory for a node it is given

  [[noreturn]] void serve_and_exit(const Fd& client, CounterSlot& slot) {
    close(listener_.get());  // the port is the parent's alone
    server_.signals.let_act();
    serve_stoppable(client, server_, slot);
    _exit(0);  // closes the connection; the parent's objects are not ours to destroy
  }

  void ended(Ended end) {
    const auto found = slots_.find(end.pid);
    if (found == slots_.end()) return;
    if (end.crashed()) {
      log_line("the process of a connection (pid %d) %s", static_cast<int>(end.pid),
               describe_end(end.status).c_str());
    }
    server_.counters.give_back(*found->second);
    slots_.erase(found);
  }

  void signal_all(int signal) const {
    for (const auto& [pid, slot] : slots_) kill(pid, signal);
  }

  Server& server_;
  Acceptor& acceptor_;
  const Fd& listener_;
  Slots slots_;
};

}  // namespace

void serve_fork(Server& server) {
  install_stop_handler();
  const std::vector<Fd> listeners = open_listeners(server.options, 1);
  make_nonblocking(listeners.front());  // accepted in batches, until nobody waits
  // The parent counts in the first slot, which is always there: nobody else has asked yet.
  Acceptor acceptor(server, listeners.front(), *server.counters.take());
  Processes processes(server, acceptor, listeners.front());
  server.announce(listeners.front());
  acceptor.run(processes);
  stop_listening(listeners);
  processes.finish();
}

}  // namespace baselines
