// A kernel thread for each connection: the main thread accepts, the new thread serves and ends.
#include <pthread.h>

#include <memory>
#include <mutex>

#include "baselines/common/acceptor.h"
#include "baselines/common/blocking_socket.h"
#include "baselines/common/straight_loop.h"
#include "baselines/mt/models.h"
#include "baselines/mt/roster.h"
#include "baselines/mt/supervised.h"

namespace baselines {
namespace {

// The threads that serve now.
class Threads : public Vehicles {
 public:
  Threads(Server& server, Acceptor& acceptor) : server_(server), acceptor_(acceptor) {
    pthread_attr_init(&attributes_);
    pthread_attr_setstacksize(&attributes_, kServeStackBytes);
    pthread_attr_setdetachstate(&attributes_, PTHREAD_CREATE_DETACHED);
  }
  ~Threads() override { pthread_attr_destroy(&attributes_); }

  std::size_t size() const override { return roster_.size(); }

  void start(Fd client) override {
    auto serving = std::make_unique<Serving>(*this, client.get());
    if (serving->slot == nullptr) return acceptor_.refuse(std::move(client), kNoSlot);
    pthread_t thread;
    const int error = pthread_create(&thread, &attributes_, run, serving.get());
    if (error != 0) return acceptor_.refuse(std::move(client), limit_of_tasks("thread", error));
    client.release();  // both are the thread's now
    serving.release();
  }

  // Returns when all have answered what they had been asked.
  void finish() { roster_.finish(); }

 private:
  struct Serving {
    Serving(Threads& threads, int client)
        : all(threads),
          member(threads.roster_, client),
          socket(client),
          slot(threads.take_slot()) {}
    ~Serving() {
      if (slot != nullptr) all.give_back(*slot);
    }

    Threads& all;
    Roster::Member member;  // leaves last: the server may be waiting for that, to end
    int socket;
    CounterSlot* slot;  // null: there is none left
  };

  static void* run(void* argument) {
    const Fd client(static_cast<Serving*>(argument)->socket);
    const std::unique_ptr<Serving> serving(static_cast<Serving*>(argument));
    const Server& server = serving->all.server_;
    BlockingSocket socket(client.get(), server.options.idle_timeout);
    serve_connection(socket, server.site, *serving->slot);
    return nullptr;
  }

  CounterSlot* take_slot() {
    const std::scoped_lock lock(slots_);
    return server_.counters.take();
  }

  void give_back(CounterSlot& slot) {
    const std::scoped_lock lock(slots_);
    server_.counters.give_back(slot);
  }

  Server& server_;
  Acceptor& acceptor_;
  pthread_attr_t attributes_;
  std::mutex slots_;  // guards the counter slots, not what is counted in them
  Roster roster_;
};

void serve(Server& server, const Fd& listener, CounterSlot& slot,
           const std::function<void()>& serving) {
  Acceptor acceptor(server, listener, slot);
  Threads threads(server, acceptor);
  serving();
  acceptor.run(threads);
  threads.finish();
}

}  // namespace

void serve_thread(Server& server) { serve_supervised(server, Listener::nonblocking, serve); }

}  // namespace baselines
