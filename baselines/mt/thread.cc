// A kernel thread for each connection: the main thread accepts, the new thread serves and ends.
#include <pthread.h>
#include <sys/socket.h>

#include <condition_variable>
#include <list>
#include <mutex>

#include "baselines/common/acceptor.h"
#include "baselines/common/blocking_socket.h"
#include "baselines/common/children.h"
#include "baselines/common/straight_loop.h"
#include "baselines/mt/models.h"

namespace baselines {
namespace {

// The threads that serve now. One mutex guards the list and the counter slots; a connection takes
// it when it begins and when it ends, never for a request.
class Threads : public Vehicles {
 public:
  Threads(Server& server, Acceptor& acceptor) : server_(server), acceptor_(acceptor) {
    pthread_attr_init(&attributes_);
    pthread_attr_setstacksize(&attributes_, kServeStackBytes);
    pthread_attr_setdetachstate(&attributes_, PTHREAD_CREATE_DETACHED);
  }
  ~Threads() override { pthread_attr_destroy(&attributes_); }

  std::size_t size() const override {
    const std::scoped_lock lock(mutex_);
    return serving_.size();
  }

  void start(Fd client) override {
    Serving* serving = enlist(client);
    if (serving == nullptr) return acceptor_.refuse(std::move(client), kNoSlot);
    pthread_t thread;
    const int error = pthread_create(&thread, &attributes_, run, serving);
    if (error == 0) {
      client.release();  // the thread's now
      return;
    }
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

  static void* run(void* argument) {
    Serving& serving = *static_cast<Serving*>(argument);
    Threads& all = *serving.all;
    BlockingSocket socket(serving.socket, all.server_.options.idle_timeout);
    serve_connection(socket, all.server_.site, *serving.slot);
    const Fd client(serving.socket);
    all.leave(serving);  // first, so that finish() never shuts down a number used anew
    return nullptr;
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
  pthread_attr_t attributes_;
  mutable std::mutex mutex_;
  std::condition_variable all_gone_;
  std::list<Serving> serving_;
};

}  // namespace

void serve_thread(Server& server) {
  Acceptor acceptor(server);
  Threads threads(server, acceptor);
  acceptor.run(threads);
  threads.finish();
}

}  // namespace baselines
