#include "harness/stload/crew.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <new>

#include "harness/stload/error.h"
#include "harness/stload/progress.h"
#include "harness/stload/worker.h"

namespace stload {
namespace {

// From the word to begin until the load begins: long enough for every process to wake all its
// threads.
constexpr Duration kRunUp = std::chrono::milliseconds(20);

[[noreturn]] void fail(const char* what) { throw Fatal(with_errno(what, errno)); }

// Memory that all processes see.
class Shared {
 public:
  explicit Shared(const Options& options)
      : tallies_(static_cast<std::size_t>(options.processes)),
        clients_(static_cast<std::size_t>(options.clients)),
        bytes_(sizeof(Control) + sizeof(Tally) * tallies_ + sizeof(ClientCounts) * clients_) {
    memory_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) fail("memory for the processes to share");
    static_assert(sizeof(Control) % alignof(Tally) == 0);
    new (memory_) Control;
    new (tallies().data()) Tally[tallies_];
    new (clients().data()) ClientCounts[clients_];
  }
  ~Shared() { munmap(memory_, bytes_); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  Control& control() { return *static_cast<Control*>(memory_); }
  std::span<Tally> tallies() {
    return {reinterpret_cast<Tally*>(static_cast<char*>(memory_) + sizeof(Control)), tallies_};
  }
  std::span<ClientCounts> clients() {
    return {reinterpret_cast<ClientCounts*>(tallies().data() + tallies_), clients_};
  }

 private:
  std::size_t tallies_, clients_, bytes_;
  void* memory_;
};

// A pipe that only says one thing: by a byte for each process, or by being closed for all.
class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_, O_CLOEXEC) != 0) fail("pipe");
  }
  ~Pipe() {
    close_reading();
    close_writing();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  void close_reading() { close_one(ends_[0]); }
  void close_writing() { close_one(ends_[1]); }

 private:
  static void close_one(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
  }
  int ends_[2];
};

class Crew {
 public:
  explicit Crew(const Options& options) : options_(options), shared_(options) {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&signals, number);
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    signals_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals_ < 0) fail("signalfd");
  }
  ~Crew() {
    for (const pid_t pid : pids_) kill(pid, SIGKILL);
    for (const pid_t pid : pids_) waitpid(pid, nullptr, 0);
    close(signals_);
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  std::unique_ptr<Outcome> run() {
    const Time started = Clock::now();
    auto outcome = std::make_unique<Outcome>();
    outcome->started_utc = utc_now();
    for (int i = 0; i < options_.processes; ++i) start(i);
    ready_.close_writing();
    while (ready_count_ < options_.processes) look(Duration::max());
    begin();
    Progress progress(options_, shared_.control(), shared_.tallies());
    while (!pids_.empty()) {
      look(progress.interval());
      progress.show();
    }
    progress.clear();
    outcome->run = Clock::now() - started;
    conclude(*outcome);
    return outcome;
  }

 private:
  static std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[32];
    return {text, std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc)};
  }

  void start(int index) {
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0) fail("starting a process (use fewer --processes, or raise ulimit -u)");
    if (pid > 0) return pids_.push_back(pid);
    // Whatever ends the parent ends its children.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) std::_Exit(1);
    std::_Exit(work(index));
  }

  int work(int index) {
    close(signals_);
    go_.close_writing();
    ready_.close_reading();
    Tally& tally = shared_.tallies()[static_cast<std::size_t>(index)];
    try {
      Worker worker(options_, shared_.control(), tally, shared_.clients(),
                    {index, options_.processes});
      worker.prepare();
      if (write(ready_.writing(), "r", 1) != 1) fail("telling the parent");
      char nothing;
      while (read(go_.reading(), &nothing, 1) < 0 && errno == EINTR) continue;
      worker.run();
      return 0;
    } catch (const std::exception& error) {
      std::snprintf(tally.fatal.data(), tally.fatal.size(), "%s", error.what());
      return 1;
    }
  }

  // Waits for what happens next, and deals with it.
  void look(Duration longest) {
    pollfd events[] = {{signals_, POLLIN, 0}, {ready_.reading(), POLLIN, 0}};
    const int milliseconds =
        longest == Duration::max()
            ? -1
            : static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(longest).count());
    poll(events, begun_ ? 1 : 2, milliseconds);
    if (!begun_ && (events[1].revents & POLLIN)) {
      char bytes[64];
      ready_count_ += static_cast<int>(read(ready_.reading(), bytes, sizeof(bytes)));
    }
    signalfd_siginfo info{};
    while (read(signals_, &info, sizeof(info)) == sizeof(info)) {
      if (info.ssi_signo == SIGCHLD) {
        reap();
      } else {
        stop_early();
      }
    }
  }

  void reap() {
    int status = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
      std::erase(pids_, pid);
      if (WIFSIGNALED(status)) {
        throw Fatal("one of its processes was ended by signal " + std::to_string(WTERMSIG(status)));
      }
      if (WEXITSTATUS(status) != 0) throw Fatal(why_one_failed());
    }
  }

  // The first one that says; others may have met the same.
  std::string why_one_failed() {
    for (const Tally& tally : shared_.tallies()) {
      if (tally.fatal[0] != 0) return tally.fatal.data();
    }
    return "one of its processes failed without a word";
  }

  void begin() {
    Control& control = shared_.control();
    control.begin = Clock::now() + kRunUp;
    control.window_begin = control.begin + options_.warmup;
    control.end = control.window_begin + options_.duration;
    begun_ = true;
    go_.close_writing();
  }

  void stop_early() {
    if (!begun_) throw Fatal("ended before the load had begun");
    Control& control = shared_.control();
    control.end = std::min(control.end.load(), Clock::now());
    ++control.stops;
    for (const pid_t pid : pids_) kill(pid, SIGTERM);
  }

  void conclude(Outcome& outcome) {
    for (const Tally& tally : shared_.tallies()) outcome.tally.merge(tally);
    outcome.clients.assign(shared_.clients().begin(), shared_.clients().end());
    const Control& control = shared_.control();
    outcome.begin = control.begin;
    outcome.window = std::max(Duration(), control.end.load() - control.window_begin);
    for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
      rusage usage{};
      getrusage(who, &usage);
      const auto add = [](Duration& to, const timeval& time) {
        to += std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
      };
      add(outcome.cpu.user, usage.ru_utime);
      add(outcome.cpu.system, usage.ru_stime);
    }
  }

  const Options& options_;
  Shared shared_;
  Pipe ready_, go_;
  int signals_ = -1;
  std::vector<pid_t> pids_;
  int ready_count_ = 0;
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<Outcome> run_crew(const Options& options) { return Crew(options).run(); }

}  // namespace stload
