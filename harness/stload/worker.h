// One process of the generator: a scheduler with a state thread for each of its clients.
#pragma once

#include <deque>
#include <functional>
#include <span>

#include "harness/stload/client.h"

namespace stload {

// Which part of the whole a process is: clients, idle connections and slow clients are dealt out,
// each kind in numbers that follow each other.
struct Share {
  int index = 0;
  int processes = 1;

  int first(int of) const { return static_cast<int>(std::int64_t{of} * index / processes); }
  int last(int of) const { return static_cast<int>(std::int64_t{of} * (index + 1) / processes); }
};

class Worker {
 public:
  // `counts` are those of all clients of all processes.
  Worker(const Options& options, const Control& control, Tally& tally,
         std::span<ClientCounts> counts, Share share);
  ~Worker();

  // Fetches what --check expects, and opens all connections.
  void prepare();

  // The load, from Control::begin to the last answer. SIGTERM is how the parent says that
  // Control::end has moved, or that no answer is to be waited for.
  void run();

 private:
  struct Slot {
    template <class... Args>
    explicit Slot(Worker& its_worker, Args&&... args)
        : worker(its_worker), client(its_worker.run_, args...) {}
    Worker& worker;
    Client client;
    st_thread_t thread = nullptr;  // null when it has ended
  };

  void make_targets();
  void learn(Connection& connection, Target& target);
  void add_clients(Client::Kind kind, int of);
  void start(Slot& slot);
  static void* live(void* slot);
  static void* hear(void* worker);
  static void* spin(void* worker);

  // Until `done`, or until then; `until` is asked again after every event.
  void wait(const std::function<Time()>& until, const std::function<bool()>& done);
  void finish();
  // Or until --timeout has passed since the end, or the patience of somebody who has ended it
  // early.
  void wait_for_answers(const std::function<bool()>& all_given);
  void interrupt(const std::function<bool(const Client&)>& which);

  Share share_;
  std::span<ClientCounts> counts_;
  Run run_;
  std::deque<Slot> slots_;
  st_cond_t changed_ = nullptr;  // any of what follows
  st_cond_t begin_ = nullptr;
  std::size_t prepared_ = 0;        // slots that have tried to connect
  std::size_t alive_ = 0;           // threads of slots that have not ended
  std::size_t measured_alive_ = 0;  // those of them whose clients are measured
  bool begun_ = false;
};

}  // namespace stload
