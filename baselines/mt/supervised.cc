#include "baselines/mt/supervised.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <exception>
#include <stdexcept>
#include <string>

#include "baselines/common/listener.h"
#include "baselines/common/log.h"
#include "baselines/common/supervisor.h"

namespace baselines {
namespace {

// How the first process tells the parent whether it serves: the text of what went wrong, then the
// end of the file; the end alone is good news, or a crash, which the supervisor deals with.
struct Birth {
  Fd parents_end;
  Fd childs_end;

  Birth() {
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw std::runtime_error("cannot make a pipe: " + describe_errno(errno) +
                               "; raise 'ulimit -n'");
    }
    parents_end = Fd(ends[0]);
    childs_end = Fd(ends[1]);
  }

  // In the parent: throws what the child has said.
  void await() {
    childs_end.close();
    std::string said;
    std::array<char, 512> part;
    ssize_t bytes = 0;
    while ((bytes = read(parents_end.get(), part.data(), part.size())) > 0) {
      said.append(part.data(), static_cast<std::size_t>(bytes));
    }
    parents_end.close();
    if (!said.empty()) throw std::runtime_error(said);
  }

  // In the child. False: nobody waits for us, we are a replacement.
  bool fail(const std::string& text) {
    return childs_end &&
           write(childs_end.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }
};

}  // namespace

void serve_supervised(Server& server, Listener kind, Serve serve) {
  const std::vector<Fd> listeners = open_listeners(server.options, 1);
  if (kind == Listener::nonblocking) make_nonblocking(listeners.front());
  Birth birth;
  Supervisor supervisor(server.signals, server.counters, 1, [&](int, CounterSlot& slot) {
    birth.parents_end.close();
    server.signals.renew();
    server.counters.inherit(slot);
    try {
      serve(server, listeners.front(), slot, [&] { birth.childs_end.close(); });
    } catch (const std::exception& error) {
      if (!birth.fail(error.what())) throw;
    }
  });
  birth.await();
  server.announce(listeners.front());
  supervisor.run([&] { stop_listening(listeners); });
}

void wait_for_stop(Server& server) {
  pollfd readable{server.signals.fd(), POLLIN, 0};
  while (!server.signals.take().stop) poll(&readable, 1, -1);
}

}  // namespace baselines
