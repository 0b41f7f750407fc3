// httpd_null: the floor. One epoll loop in each process, which compares the bytes of a request with
// those of the last one and sends the same answer again. It parses nothing and promises nothing:
// what it does per second is what the load generator, the kernel and the loopback device allow, and
// no server can do more.
//
// The answer is the handler's own, made once for each request that differs in a byte, so that the
// generator has the same work with it as with every other server's.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>
#include <unordered_map>
#include <vector>

#include "baselines/common/http.h"
#include "baselines/common/listener.h"
#include "baselines/common/program.h"
#include "baselines/common/supervisor.h"

namespace baselines {
namespace {

constexpr int kEvents = 256;  // as in edsm: the cost of a call is spread over many clients

// Requests that a generator may draw from: the 4 classes of 9 files of SPECweb and room to spare.
constexpr std::size_t kMostAnswers = 1024;

void add(std::atomic<std::uint64_t>& counter, std::uint64_t amount) {
  // This process is the only writer of its slot.
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

struct Canned {
  std::string bytes;
  bool closes = false;
};

class NullLoop {
 public:
  NullLoop(Server& server, const Fd& listener, CounterSlot& slot)
      : server_(server), listener_(listener), slot_(slot), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    watch(server.signals.fd());
    watch(listener.get());
  }

  void run() {
    std::array<epoll_event, kEvents> events;
    for (;;) {
      const int count = epoll_wait(epoll_.get(), events.data(), kEvents, -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_.get()) {
          accept_clients();
        } else if (fd == server_.signals.fd()) {
          if (server_.signals.take().stop) return;  // the kernel closes what is open
        } else if (!serve(fd)) {
          close(fd);  // which takes it out of epoll
          add(slot_.closed, 1);
        }
      }
    }
  }

 private:
  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }

  void accept_clients() {
    for (int fd;
         (fd = accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      const auto index = static_cast<std::size_t>(fd);
      if (served_.size() <= index) served_.resize(index + 1);
      served_[index] = false;
      add(slot_.connections, 1);
      watch(fd);
    }
  }

  // Answers what has come; false: the connection is over.
  bool serve(int fd) {
    const ssize_t got = recv(fd, buffer_.data(), buffer_.size(), 0);
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
    std::string_view rest(buffer_.data(), static_cast<std::size_t>(got));
    while (!rest.empty()) {
      if (!rest.starts_with(last_request_)) {
        const std::size_t end = rest.find("\r\n\r\n");
        if (end == std::string_view::npos) return false;  // no generator sends half a request
        prepare(rest.substr(0, end + 4));
      }
      rest.remove_prefix(last_request_.size());
      if (!send_all(fd, last_->bytes)) return false;
      count_answer(fd);
      if (last_->closes) return false;
    }
    return true;
  }

  // Makes `request` the last one.
  void prepare(std::string_view request) {
    std::string key(request);
    auto found = answers_.find(key);
    if (found == answers_.end()) {
      if (answers_.size() == kMostAnswers) answers_.clear();
      found = answers_.emplace(key, ask_handler(request)).first;
    }
    last_request_ = std::move(key);
    last_ = &found->second;
  }

  Canned ask_handler(std::string_view request) const {
    CounterSlot unseen{};  // this one is not an answer to anybody
    Connection connection(server_.site, unseen, Clock::now());
    Canned canned;
    Want want = connection.advance(request, Clock::now());
    while (want == Want::output) {
      std::size_t size = 0;
      for (const iovec& piece : connection.output()) {
        canned.bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
        size += piece.iov_len;
      }
      want = connection.sent(size, Clock::now());
    }
    // An answer that has to be worked for is none that can be sent again: the client is turned
    // away.
    canned.closes = want != Want::input;
    return canned;
  }

  void count_answer(int fd) {
    add(slot_.requests, 1);
    add(slot_.bytes, last_->bytes.size());
    if (last_->bytes.compare(9, 1, "4") >= 0) add(slot_.errors, 1);  // "HTTP/1.1 404"
    const auto index = static_cast<std::size_t>(fd);
    if (!served_[index]) add(slot_.served, 1);
    served_[index] = true;
  }

  // A client whose buffer is full holds up all others: the floor has no state to come back to.
  static bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else if (sent < 0 && errno == EAGAIN) {
        pollfd writable{fd, POLLOUT, 0};
        constexpr int kPatienceMs = 1000;
        if (poll(&writable, 1, kPatienceMs) == 0) return false;
      } else {
        return false;
      }
    }
    return true;
  }

  Server& server_;
  const Fd& listener_;
  CounterSlot& slot_;
  Fd epoll_;
  std::vector<bool> served_;  // by descriptor
  std::unordered_map<std::string, Canned> answers_;
  std::string last_request_ = "\r\n";  // nothing that a request begins with
  const Canned* last_ = nullptr;
  std::array<char, 65536> buffer_;
};

void serve_null(Server& server) {
  const std::vector<Fd> listeners = open_listeners(server.options, server.options.processes());
  for (const Fd& listener : listeners) make_nonblocking(listener);
  Supervisor supervisor(server.signals, server.counters, server.options.processes(),
                        [&](int index, CounterSlot& slot) {
                          server.signals.renew();
                          NullLoop(server, listeners[static_cast<std::size_t>(index)], slot).run();
                        });
  server.announce(listeners.front());
  supervisor.run([&] { stop_listening(listeners); });
}

}  // namespace
}  // namespace baselines

int main(int argc, char** argv) {
  using namespace baselines;
  static constexpr std::array models = {
      Model{"null", "--cpus identical processes [1], each sends the same bytes again", serve_null},
  };
  return run_program(argc, argv,
                     {"Null responder: the floor that a load generator is measured against, no "
                      "HTTP server.",
                      models});
}
